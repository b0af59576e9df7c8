#!/usr/bin/env bash
# Prints the path of promtool, which tests alert rules: the one in PATH, else that of Debian's package prometheus, unpacked
# into ~/.cache/s3core/promtool. The package itself is not installed: it would start a service. usage: promtool.sh
set -euo pipefail

target=${XDG_CACHE_HOME:-$HOME/.cache}/s3core/promtool

main() {
  if command -v promtool; then
    return
  fi
  command -v apt-get >/dev/null || fail "not a Debian system: put promtool of Prometheus into PATH"
  mkdir -p "$(dirname "$target")"
  exec 9>"$target.lock"
  flock 9   # two runs at once: the second waits and finds it made
  [ -e "$target/made" ] || make >&2
  echo "$target/promtool"
}

fail() { printf 'promtool.sh: %s\n' "$*" >&2; exit 1; }

make() {
  echo "promtool.sh: making $target (once)"
  rm -rf -- "$target"
  mkdir -p "$target/package"
  cd "$target/package"
  download || { update; download; }
  dpkg-deb --fsys-tarfile prometheus_*.deb | tar --extract --to-stdout ./usr/bin/promtool >"$target/promtool"
  chmod +x "$target/promtool"
  cd "$target"
  rm -rf -- package
  ./promtool --version
  touch made   # last: what was broken off is made again
}

download() { apt-get -q -o APT::Sandbox::User=root download prometheus; }

update() {
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=300 update
}

main "$@"
