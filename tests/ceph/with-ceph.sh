#!/usr/bin/env bash
# Runs a command with a real Ceph beside it. Usage and options: with-ceph.sh --help
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: with-ceph.sh [options] -- COMMAND [ARGUMENT...]

Starts a one-node Ceph, runs COMMAND with the variables of DIR/env, stops the cluster however COMMAND ends
(also on Ctrl-C and SIGTERM), and exits with COMMAND's status. Missing packages are installed first.
If S3CORE_TEST_ENDPOINT is already set, nothing is started: COMMAND uses what is there. So several suites can share
one cluster, and each can also be run alone.

  --release NAME    reef or tentacle instead of the machine's own Ceph (needs root; see release.sh)
  --directory DIR   where the cluster lies (default: a new directory below $TMPDIR)
  --keep            leave the directory with its logs
  all other options go to up.sh: --gateways N, --tls, --tcp-nodelay, --ops-log, --sts, --store KIND, --capacity BYTES
USAGE
}

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
release='' directory='' keep=() start_options=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --release) release=${2:?--release needs a name}; shift ;;
    --directory) directory=${2:?--directory needs a path}; shift ;;
    --keep) keep=(--keep) ;;
    --tls | --tcp-nodelay | --ops-log | --sts) start_options+=("$1") ;;
    --gateways | --store | --capacity) start_options+=("$1" "${2:?$1 needs a value}"); shift ;;
    *) usage >&2; echo "with-ceph.sh: unknown option $1 (is there a -- before the command?)" >&2; exit 2 ;;
  esac
  shift
done
[ $# -gt 1 ] || { usage >&2; exit 2; }
shift
[ -z "${S3CORE_TEST_ENDPOINT:-}" ] || exec "$@"

main() {
  local status=0
  [ -n "$release" ] || "$HERE/install.sh"
  [ -n "$directory" ] || directory=$(mktemp -d -t s3core-ceph.XXXXXX)
  received='' command=''
  trap stop_cluster EXIT
  trap 'on_signal INT' INT
  trap 'on_signal TERM' TERM
  start_cluster || status=$?
  [ -z "$received" ] || exit "$(status_of_signal)"
  [ "$status" -eq 0 ] || exit "$status"
  set -a
  # shellcheck source=/dev/null
  . "$directory/env"
  set +a
  echo "with-ceph.sh: Ceph $S3CORE_TEST_CEPH_VERSION ($S3CORE_TEST_CEPH_RELEASE) answers at $S3CORE_TEST_ENDPOINT" >&2
  # In the background, because bash runs no trap while it waits for a command in the foreground. A background command would
  # read /dev/null and ignore Ctrl-C, hence <&0 and env.
  env --default-signal=INT,QUIT "$@" <&0 &
  command=$!
  [ -z "$received" ] || pass_on_signal   # it came before there was a command
  wait "$command" || status=$?
  # A signal ends `wait`, not the command: the cluster stays until that has cleaned up.
  while [ -n "$received" ] && kill -0 "$command" 2>/dev/null; do
    wait "$command" || true
  done
  [ -z "$received" ] || exit "$(status_of_signal)"
  exit "$status"
}

start_cluster() {
  if [ -n "$release" ]; then
    "$HERE/release.sh" up "$release" "$directory" "${start_options[@]}" >/dev/null
  else
    "$HERE/up.sh" "$directory" "${start_options[@]}" >/dev/null
  fi
}

# shellcheck disable=SC2317  # the traps call it
on_signal() {
  received=$1
  [ -z "$command" ] || pass_on_signal
}

# `kill` reaches this script alone, Ctrl-C the whole foreground of the terminal: then the command has it already,
# and many take a second one as "at once, without cleaning up".
# shellcheck disable=SC2317  # the traps call it
pass_on_signal() {
  local own_group terminal_group
  read -r _ _ _ _ own_group _ _ terminal_group _ <"/proc/$$/stat"
  if [ "$received" = TERM ] || [ "$own_group" -ne "$terminal_group" ]; then
    kill -s "$received" "$command" 2>/dev/null || true
  fi
}

status_of_signal() {
  case $received in
    INT) echo 130 ;;
    TERM) echo 143 ;;
  esac
}

# shellcheck disable=SC2317  # the trap calls it
stop_cluster() {
  trap '' INT TERM
  if [ -n "$release" ]; then
    "$HERE/release.sh" down "${keep[@]}" "$release" "$directory"
  else
    "$HERE/down.sh" "${keep[@]}" "$directory"
  fi
}

main "$@"
