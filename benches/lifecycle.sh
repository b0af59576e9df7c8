#!/usr/bin/env bash
# Measures s3life on the embedded endpoint and on real Ceph, beside rclone and beside bare copies and deletes; writes LIFECYCLE.md.
# usage: lifecycle.sh [--quick] [options, see: lifecycle.sh --help]
# Twenty minutes on two cores, and 7 GiB of memory; --quick is a smoke test of some seconds, with programs that are not optimised, and
# writes nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly SPARK=3.5.7   # of the environment that the benches share

main() {
  local profile=(--release) target=$here/../target/release options=(--out "$here/LIFECYCLE.md")
  if [ "${1:-}" = --quick ]; then
    shift
    profile=() target=$here/../target/debug options=(--plan 2000 --expire 800 --ceph 400 --runs 1)
  fi
  environment=$("$here/../tests/spark/venv.sh" "$SPARK")
  cd "$here"
  case " $* " in
    *" --help "* | *" -h "*) lifecycle "$@"; exit ;;
  esac
  install_rclone
  cargo build --quiet --locked "${profile[@]}" -p s3life --bin s3life --example bucket
  "$here/../tests/ceph/with-ceph.sh" --ops-log -- "$environment/bin/python" -m bench.lifecycle --target "$target" "${options[@]}" "$@"
}

lifecycle() { "$environment/bin/python" -m bench.lifecycle --target . "$@"; }

install_rclone() {
  command -v rclone >/dev/null && return
  local root=()
  [ "$(id -u)" = 0 ] || root=(sudo)
  "${root[@]}" apt-get install --yes --no-install-recommends rclone >/dev/null
}

main "$@"
