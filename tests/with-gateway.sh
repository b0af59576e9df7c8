#!/usr/bin/env bash
# Runs a command with the embedded endpoint beside it, in memory. usage: with-gateway.sh [--quirks NAME] -- COMMAND [ARGUMENT...]
#   --quirks NAME   behave like aws (the default), pacific, reef or tentacle
# The command finds S3CORE_TEST_ENDPOINT, S3CORE_TEST_ACCESS_KEY and S3CORE_TEST_SECRET_KEY.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
options=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  options+=("$1")
  shift
done
[ $# -gt 1 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
shift

cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p s3core-gateway
export S3CORE_TEST_ACCESS_KEY=devkey S3CORE_TEST_SECRET_KEY=devsecret
ready=$(mktemp)
"${CARGO_TARGET_DIR:-$root/target}/debug/s3core-gateway" \
  --access-key "$S3CORE_TEST_ACCESS_KEY" --secret-key "$S3CORE_TEST_SECRET_KEY" "${options[@]}" >"$ready" &
gateway=$!
trap 'kill "$gateway"; rm -f "$ready"' EXIT
for _ in {1..100}; do
  S3CORE_TEST_ENDPOINT=$(sed -n 's/.* ready: endpoint=\([^ ]*\) .*/\1/p' "$ready")
  [ -z "$S3CORE_TEST_ENDPOINT" ] || break
  sleep 0.1
done
[ -n "$S3CORE_TEST_ENDPOINT" ] || { echo "with-gateway.sh: the endpoint did not start" >&2; exit 1; }
export S3CORE_TEST_ENDPOINT
"$@"
