#!/usr/bin/env bash
# Makes a virtual environment and prints its directory, ~/.cache/s3core/venv-NAME. It is kept, and made again when what it
# is made from changes.
# usage: venv.sh NAME REQUIREMENTS [PACKAGE==VERSION ...]        PYTHON names the interpreter (default python3; 3.11 or newer)
set -euo pipefail

name=${1:?usage: venv.sh NAME REQUIREMENTS [PACKAGE==VERSION ...]}
requirements=${2:?usage: venv.sh NAME REQUIREMENTS [PACKAGE==VERSION ...]}
shift 2
directory=${XDG_CACHE_HOME:-$HOME/.cache}/s3core/venv-$name
wanted=$(cat "$requirements"; printf '%s\n' "$@")

main() {
  mkdir -p "$(dirname "$directory")"
  exec 9>"$directory.lock"
  flock 9   # two runs at once: the second waits and finds it made
  if [ "$(cat "$directory/made-from" 2>/dev/null)" != "$wanted" ]; then
    make "$@" >&2
  fi
  echo "$directory"
}

make() {
  echo "venv.sh: making $directory (once)"
  rm -rf -- "$directory"
  "${PYTHON:-python3}" -m venv "$directory" || { echo "venv.sh: on Debian this needs the package python3-venv"; exit 1; }
  # PySpark is a source archive whose wheel is made by setuptools and wheel, named here so that they are pinned too.
  "$directory/bin/pip" install --quiet setuptools==80.9.0 wheel==0.45.1
  "$directory/bin/pip" install --quiet --no-build-isolation -r "$requirements" "$@"
  printf '%s\n' "$wanted" >"$directory/made-from"   # last: a broken installation is made again
}

main "$@"
