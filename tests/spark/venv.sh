#!/usr/bin/env bash
# Makes the virtual environment in which this suite runs on one release of PySpark, and prints its directory.
# usage: venv.sh PYSPARK_VERSION      (3.5.7 brings Hadoop 3.3.4, 4.2.0 brings Hadoop 3.5.0)
set -euo pipefail

version=${1:?usage: venv.sh PYSPARK_VERSION}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/../venv.sh" "spark-$version" "$here/requirements.txt" "pyspark==$version"
