#!/usr/bin/env bash
# Tests the wheel in dist/ as a user has it: installed, in an environment of its own.
# usage: test.sh [pytest arguments]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tests=$here/../tests

main() {
  local environment
  environment=$("$tests/venv.sh" python "$here/requirements-test.txt")
  exec 9>"$environment.in-use"
  flock 9 # two runs at once: the wheel is not replaced under the first
  "$tests/install-wheel.sh" "$environment"
  cd "$here"
  exec env -u SPARK_HOME "$environment/bin/python" -m pytest "$@"
}

main "$@"
