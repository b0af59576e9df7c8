#!/usr/bin/env bash
# Tests the wheel in dist/ as a user has it: installed, in an environment of its own.
# usage: test.sh [pytest arguments]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
environment=${XDG_CACHE_HOME:-$HOME/.cache}/s3core/venv-python

main() {
  mkdir -p "$(dirname "$environment")"
  exec 9>"$environment.lock"
  flock 9 # two runs at once: the second waits and finds it made
  if ! cmp -s "$here/requirements-test.txt" "$environment/made-from"; then
    make >&2
  fi
  local wheels=("$here"/../dist/s3core-*"$(uname -m)".whl)
  [ -f "${wheels[0]}" ] || { echo "no wheel for $(uname -m) in dist/: run bindings-python/build.sh first" >&2; exit 1; }
  "$environment/bin/pip" install --quiet --force-reinstall --no-deps "${wheels[0]}"
  cd "$here"
  exec env -u SPARK_HOME "$environment/bin/python" -m pytest "$@"
}

make() {
  rm -rf -- "$environment"
  python3 -m venv "$environment"
  # PySpark is a source archive whose wheel is made by setuptools and wheel, named here so that they are pinned too.
  "$environment/bin/pip" install --quiet setuptools==80.9.0 wheel==0.45.1
  "$environment/bin/pip" install --quiet --no-build-isolation -r "$here/requirements-test.txt"
  cp "$here/requirements-test.txt" "$environment/made-from" # last: a broken installation is made again
}

main "$@"
