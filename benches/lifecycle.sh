#!/usr/bin/env bash
# Measures s3life on the embedded endpoint: seconds and peak memory.
# usage: lifecycle.sh plan [OBJECTS [RUNS]]     `s3life plan` beside `rclone lsf -R`: 1,000,000 and 3 without numbers
#        lifecycle.sh expire [OBJECTS [RUNS]]   `s3life apply` and `undo` beside a bare copy and delete: 100,000 and 3
# The endpoint keeps its objects in memory: 0.7 GiB for a million.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly BUCKET=bench PORT=19123

main() {
  case ${1:-} in
    plan) local objects=${2:-1000000} ;;
    expire) local objects=${2:-100000} ;;
    *) sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
  runs=${3:-3}
  cd "$here/.."
  [ "$1" = expire ] || install_rclone
  cargo build --release --quiet --locked -p s3life --bin s3life --example bucket
  work=$(mktemp -d)
  trap stop EXIT
  export AWS_ACCESS_KEY_ID=bench AWS_SECRET_ACCESS_KEY=benchbench
  target/release/examples/bucket serve "$PORT" "$BUCKET" "$objects" >"$work/endpoint" 2>"$work/gateway.log" &
  gateway=$!
  until [ -s "$work/endpoint" ]; do sleep 0.1; kill -0 "$gateway"; done
  endpoint=$(cat "$work/endpoint")
  policy partition "{from: partition, time: \"{day:%F}\"}" "" >"$work/partitions.yaml"
  policy object "{from: newest_object}" "unit: object" >"$work/objects.yaml"
  for _ in $(seq "$runs"); do
    "$1"
  done
}

s3life() { target/release/s3life --endpoint "$endpoint" "$@"; }

plan() {
  local now=2030-01-01T00:00:00Z
  measure "s3life plan, 400 partitions" target/release/s3life --endpoint "$endpoint" plan "$work/partitions.yaml" --now "$now"
  measure "s3life plan, each object a unit" target/release/s3life --endpoint "$endpoint" plan "$work/objects.yaml" --now "$now"
  measure "rclone lsf -R" env -u AWS_CA_BUNDLE rclone lsf -R --format pst --use-server-modtime --config /dev/null \
    ":s3,provider=Other,endpoint='$endpoint',access_key_id=bench,secret_access_key=benchbench:$BUCKET"
}

expire() {
  local run
  s3life plan "$work/partitions.yaml" --out "$work/plan.jsonl" >"$work/plan.txt"
  measure "s3life apply" target/release/s3life --endpoint "$endpoint" apply --plan "$work/plan.jsonl" --yes
  run=$(s3life --output json history "s3a://$BUCKET" | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["run"])')
  measure "s3life undo" target/release/s3life --endpoint "$endpoint" undo "$run" "s3a://$BUCKET"
  s3life release "$run" "s3a://$BUCKET" >"$work/release.txt"
  measure "bare copy and delete" target/release/examples/bucket move "$endpoint" "$BUCKET" events/ elsewhere/
  measure "bare copy and delete, back" target/release/examples/bucket move "$endpoint" "$BUCKET" elsewhere/ events/
  sleep 3   # what was written just now is not planned
}

policy() {
  cat <<POLICY
version: 1
datasets:
  - name: events
    location: s3a://$BUCKET/events/
    age: $2
    guard: {max_removed: none}
    settle: 0h
    $3
    rules: [{name: drop_$1, when: {older_than: 1d}, then: expire}]
POLICY
}

# What the kernel counted of the child: seconds and peak resident memory.
measure() {
  python3 - "$@" <<'MEASURE'
import os, subprocess, sys, time
title, *command = sys.argv[1:]
start = time.monotonic()
with open(os.devnull, "w") as nowhere:
    child = subprocess.Popen(command, stdout=nowhere)
    _, status, usage = os.wait4(child.pid, 0)
seconds = time.monotonic() - start
if status != 0:
    sys.exit(f"{title} failed")
print(f"{title:34} {seconds:7.1f} s {usage.ru_maxrss / 1024:8.0f} MiB", flush=True)
MEASURE
}

install_rclone() {
  command -v rclone >/dev/null && return
  local root=()
  [ "$(id -u)" = 0 ] || root=(sudo)
  "${root[@]}" apt-get install --yes --no-install-recommends rclone >/dev/null
}

stop() {
  kill "$gateway" 2>/dev/null || true
  rm -rf "$work"
}

main "$@"
