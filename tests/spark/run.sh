#!/usr/bin/env bash
# Runs this suite on one release of PySpark, on the jar in dist/ and the endpoint of the environment.
# usage: run.sh PYSPARK_VERSION [pytest arguments]      under tests/ceph/with-ceph.sh --tls -- ...
set -euo pipefail

version=${1:?usage: run.sh PYSPARK_VERSION [pytest arguments]}
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
environment=$("$here/venv.sh" "$version")
cd "$here"
exec env -u SPARK_HOME PYSPARK_PYTHON="$environment/bin/python" "$environment/bin/python" -m pytest "$@"
