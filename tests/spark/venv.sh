#!/usr/bin/env bash
# Makes the virtual environment in which this suite runs on one release of PySpark, and prints its directory.
# usage: venv.sh PYSPARK_VERSION      (3.5.7 brings Hadoop 3.3.4, 4.2.0 brings Hadoop 3.5.0)
# It is kept in ~/.cache/s3core and made again when requirements.txt changes. PYTHON names the interpreter (default python3; 3.11 or newer).
set -euo pipefail

version=${1:?usage: venv.sh PYSPARK_VERSION}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
directory=${XDG_CACHE_HOME:-$HOME/.cache}/s3core/venv-spark-$version
wanted=$(cat "$here/requirements.txt"; echo "pyspark==$version")

main() {
  mkdir -p "$(dirname "$directory")"
  exec 9>"$directory.lock"
  flock 9   # two runs at once: the second waits and finds it made
  if [ "$(cat "$directory/made-from" 2>/dev/null)" != "$wanted" ]; then
    make >&2
  fi
  echo "$directory"
}

make() {
  rm -rf -- "$directory"
  "${PYTHON:-python3}" -m venv "$directory"
  # PySpark is a source archive whose wheel is made by setuptools and wheel, named here so that they are pinned too.
  "$directory/bin/pip" install --quiet setuptools==80.9.0 wheel==0.45.1
  "$directory/bin/pip" install --quiet --no-build-isolation -r "$here/requirements.txt" "pyspark==$version"
  printf '%s\n' "$wanted" >"$directory/made-from"   # last: a broken installation is made again
}

main
