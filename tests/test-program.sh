#!/usr/bin/env bash
# usage: test-program.sh PROGRAM [ARGUMENT...]    (cargo's runner for test programs)
# Most tests of s3life wait: for the gateway's lifecycle, for leases, until nothing counts as just written. Many wait beside each
# other, however few cores there are. Those of other packages assert more about time and need little of it, and `act` asserts how
# soon one request follows another while hundreds of its scenes are at work. `processes` keeps the machine busy by itself: more at
# a time take no less time, and processes lose their leases.
set -euo pipefail

if [ "${CARGO_PKG_NAME:-}" = s3life ] && [[ ${1##*/} != act-* && ${1##*/} != processes-* ]]; then
  export RUST_TEST_THREADS=${RUST_TEST_THREADS:-16}
fi
exec "$@"
