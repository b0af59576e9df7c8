#!/usr/bin/env bash
# Prints the CPU time that the gateways and the OSD of a cluster have used so far: cpu.sh DIR
# One line per process: name (osd.0, rgw-0, rgw-tcp-nodelay, rgw-tls), user + system seconds.
# Benches read it before and after, because the cluster shares the machine's cores with the client.
set -euo pipefail

directory=$(realpath -m -- "${1:?usage: cpu.sh DIR}")
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ticks_per_second=$(getconf CLK_TCK)

main() {
  local process program found=no
  while read -r process program; do
    case $program in
      radosgw | ceph-osd) print_seconds "$process"; found=yes ;;
    esac
  done < <("$HERE/down.sh" --list "$directory")
  [ "$found" = yes ] || { echo "cpu.sh: no cluster runs in $directory" >&2; exit 1; }
}

# Fields 14 and 15 of /proc/PID/stat are user and system time in clock ticks (proc(5)), so 12 and 13 behind the program's
# name, which is field 2, in parentheses, and may contain blanks.
print_seconds() {
  local statistics name
  statistics=$(cat "/proc/$1/stat")
  name=$(grep -l -x -- "$1" "$directory"/*.pid)
  awk -v name="$(basename "$name" .pid)" -v ticks="$ticks_per_second" \
    '{ printf "%s %.2f\n", name, ($12 + $13) / ticks }' <<<"${statistics##*) }"
}

main | sort
