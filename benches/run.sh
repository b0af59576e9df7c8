#!/usr/bin/env bash
# Measures s3core beside what users have today, in one run on real Ceph, and writes RESULTS.md, results.svg and results.json.
# usage: run.sh [--quick] [options of bench, see: run.sh --help]      needs dist/s3core-hadoop-*.jar (make jar)
# About 40 minutes on two cores; --quick is a smoke test of a few minutes that writes below target/ and whose figures mean nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly SPARK=3.5.7   # brings Hadoop 3.3.4, whose S3A is the peer

environment=$("$here/../tests/spark/venv.sh" "$SPARK")
case " $* " in
  *" --help "* | *" -h "*) ;;
  *) mvn --batch-mode --no-transfer-progress --quiet -f "$here/pom.xml" process-classes ;;
esac
cd "$here"
export PYSPARK_PYTHON=$environment/bin/python
run=(env -u SPARK_HOME "$environment/bin/python" -m bench "$@")
case " $* " in
  *" --help "* | *" -h "*) exec "${run[@]}" ;;
  *) exec "$here/../tests/ceph/with-ceph.sh" --tcp-nodelay -- "${run[@]}" ;;
esac
