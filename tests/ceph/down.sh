#!/usr/bin/env bash
# Stops the cluster that up.sh started in DIR, and nothing else.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: down.sh [--keep | --list] DIR

Stops the gateways, then the OSD, manager and monitor of the cluster in DIR, waits until they are gone, and removes DIR.

  --keep   leave DIR (configuration and logs) where it is
  --list   stop nothing: print process id and program of each running process of this cluster
USAGE
}

directory='' keep=no list=no
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --keep) keep=yes ;;
    --list) list=yes ;;
    -*) usage >&2; exit 2 ;;
    *) directory=$1 ;;
  esac
  shift
done
[ -n "$directory" ] || { usage >&2; exit 2; }
directory=$(realpath -m -- "$directory")

main() {
  if [ "$list" = yes ]; then
    processes
    return
  fi
  if [ -d "$directory" ] && [ ! -f "$directory/ceph.conf" ] && [ -n "$(ls -A "$directory")" ]; then
    echo "down.sh: $directory holds no cluster: nothing stopped, nothing removed" >&2
    exit 1
  fi
  # Gateways first: one that loses its OSD waits for it instead of ending.
  stop 'radosgw radosgw-admin ceph'
  stop 'ceph-osd'
  stop 'ceph-mgr ceph-mon'
  [ "$keep" = yes ] || rm -rf -- "$directory"
}

# "pid program" of every process that has DIR/ceph.conf as an argument. Process ids are reused, so recorded ones alone prove
# nothing; and a daemon that was just forked has not recorded one yet.
processes() {
  local file argument process program arguments
  for file in /proc/[0-9]*/cmdline; do
    process=${file#/proc/}
    process=${process%/cmdline}
    mapfile -d '' -t arguments 2>/dev/null <"$file" || continue   # it has ended meanwhile
    for argument in "${arguments[@]}"; do
      if [ "$argument" = "$directory/ceph.conf" ]; then
        program=$(basename "${arguments[0]}")
        [[ $program == python* ]] && program=$(basename "${arguments[1]}")   # the `ceph` command is a Python script
        case $program in
          ceph-mon | ceph-mgr | ceph-osd | radosgw | radosgw-admin | ceph) echo "$process $program" ;;
        esac
        break
      fi
    done
  done
}

# stop "PROGRAM PROGRAM": SIGTERM, 5 s of patience, SIGKILL. Tentacle's radosgw often waits much longer for a background thread
# of its own; nothing can be lost, because the data goes with DIR.
stop() {
  local signal=TERM attempt found
  for attempt in $(seq 50); do
    found=$(processes | awk -v programs=" $1 " 'index(programs, " " $2 " ") { print $1 }')
    [ -n "$found" ] || return 0
    [ "$attempt" -ne 25 ] || signal=KILL
    if [ "$attempt" -eq 1 ] || [ "$signal" = KILL ]; then
      # shellcheck disable=SC2086  # a list of numbers
      kill -s "$signal" $found 2>/dev/null || true
    fi
    sleep 0.2
  done
  echo "down.sh: still running after SIGKILL: $found" >&2
  exit 1
}

main
