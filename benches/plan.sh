#!/usr/bin/env bash
# Measures `s3life plan` on the embedded endpoint beside `rclone lsf -R`: seconds and peak memory of both.
# usage: plan.sh [OBJECTS [RUNS]]      without them 1,000,000 and 3: about ten minutes on two cores, and 2 GiB for the endpoint
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly BUCKET=bench OBJECTS=${1:-1000000} RUNS=${2:-3} PORT=19123

main() {
  cd "$here/.."
  install_rclone
  cargo build --release --quiet --locked -p s3life --bins --example fill -p s3core-gateway
  work=$(mktemp -d)
  trap stop EXIT
  export AWS_ACCESS_KEY_ID=bench AWS_SECRET_ACCESS_KEY=benchbench
  target/release/s3core-gateway --port "$PORT" --access-key bench --secret-key benchbench --bucket "$BUCKET" >"$work/gateway.log" 2>&1 &
  gateway=$!
  endpoint=http://127.0.0.1:$PORT
  until grep -q 127.0.0.1 "$work/gateway.log"; do sleep 0.1; kill -0 "$gateway"; done
  target/release/examples/fill "$endpoint" "$BUCKET" "$OBJECTS"
  policy partition "{from: partition, time: \"{day:%F}\"}" "" >"$work/partitions.yaml"
  policy object "{from: newest_object}" "unit: object" >"$work/objects.yaml"
  sleep 3   # what was written just now is not planned
  for _ in $(seq "$RUNS"); do
    measure "s3life plan, 400 partitions" target/release/s3life plan "$work/partitions.yaml" --endpoint "$endpoint" --now 2030-01-01T00:00:00Z
    measure "s3life plan, each object a unit" target/release/s3life plan "$work/objects.yaml" --endpoint "$endpoint" --now 2030-01-01T00:00:00Z
    measure "rclone lsf -R" env -u AWS_CA_BUNDLE rclone lsf -R --format pst --use-server-modtime --config /dev/null \
      ":s3,provider=Other,endpoint='$endpoint',access_key_id=bench,secret_access_key=benchbench:$BUCKET"
  done
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

main
