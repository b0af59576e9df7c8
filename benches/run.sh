#!/usr/bin/env bash
# Measures s3core beside what users have today, in one run on real Ceph, and writes RESULTS.md, results.svg and results.json.
# usage: run.sh [--quick] [options of bench, see: run.sh --help]      needs dist/s3core-hadoop-*.jar (make jar) and 4 GiB in /dev/shm
# About 30 minutes on two cores; --quick is a smoke test of a few minutes that writes below target/ and whose figures mean nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly SPARK=3.5.7   # brings Hadoop 3.3.4, whose S3A is the peer

main() {
  environment=$("$here/../tests/spark/venv.sh" "$SPARK")
  export PYSPARK_PYTHON=$environment/bin/python
  cd "$here"
  case " $* " in
    *" --help "* | *" -h "* | *" --redo "*) bench "$@"; exit ;;
  esac
  bench --check "$@"
  local options=()
  case " ${*//=/ } " in
    *" --peers s3core "*) options=(-Dmdep.skip=true) ;;   # S3A with its SDK and what runs HDFS are a download of 300 MB
  esac
  mvn --batch-mode --no-transfer-progress --quiet "${options[@]}" process-classes
  exec "$here/../tests/ceph/with-ceph.sh" --tcp-nodelay --ops-log -- env -u SPARK_HOME "$environment/bin/python" -m bench "$@"
}

bench() { env -u SPARK_HOME "$environment/bin/python" -m bench "$@"; }

main "$@"
