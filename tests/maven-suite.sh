#!/usr/bin/env bash
# Runs the tests of a Maven module on the finished jar against a real endpoint, in a bucket made for this run.
# usage: S3CORE_TEST_ENDPOINT=http://... S3CORE_TEST_ACCESS_KEY=... S3CORE_TEST_SECRET_KEY=... maven-suite.sh NAME [maven options]
#   NAME                    a folder beside this script
#   -Ds3core.jar=PATH       jar under test (default: the one in dist/)
#   -Dhadoop.line=L         contract: Hadoop 2.7, 2.8, 2.10, 3.3 (the default), 3.4 or 3.5
#   -Dhadoop.version=V      a release of that line (default: the module's own)
#   -Dtest=TestRename       one class only, or -Dtest=TestRename#testRenameNewFileSameDir
# The last line counts: "NAME: N passed, N failed, N skipped". Hadoop's contract tests skip themselves where the contract says
# that the file system is an object store.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=${1:?usage: maven-suite.sh NAME [maven options]}
shift
module=$here/$name
fail() { printf '%s: %s\n' "$name" "$*" >&2; exit 1; }

main() {
  for variable in S3CORE_TEST_ENDPOINT S3CORE_TEST_ACCESS_KEY S3CORE_TEST_SECRET_KEY; do
    [ -n "${!variable:-}" ] || fail "$variable is not set: start an endpoint with tests/ceph/with-ceph.sh, or give your own"
  done
  local jar
  jar=$(jar_under_test "$@")
  S3CORE_TEST_BUCKET=$name-$$-$(date +%s)
  export S3CORE_TEST_BUCKET
  request PUT "$S3CORE_TEST_BUCKET" || fail "$S3CORE_TEST_ENDPOINT did not make the bucket $S3CORE_TEST_BUCKET"
  trap 'remove_bucket || echo "$name: the bucket $S3CORE_TEST_BUCKET is not empty and stays" >&2' EXIT

  local status=0 log
  log=$(mktemp)
  mvn --batch-mode --no-transfer-progress -f "$module/pom.xml" test "$@" "-Ds3core.jar=$jar" | tee "$log" || status=$?
  counts "$log" || status=1
  rm "$log"
  return "$status"
}

# counts LOG: from Surefire's last sum. Its reports hold one of several runs of a parameterised class.
counts() {
  sed 's/\x1b\[[0-9;]*m//g' "$1" | awk -v name="$name" '
    /^\[[A-Z]+\] Tests run: [0-9]+, Failures: [0-9]+, Errors: [0-9]+, Skipped: [0-9]+$/ { gsub(/[^0-9 ]/, ""); split($0, sum, " "); ran = 1 }
    END {
      if (!ran) { print name ": no test ran" > "/dev/stderr"; exit 1 }
      printf "%s: %d passed, %d failed, %d skipped\n", name, sum[1] - sum[2] - sum[3] - sum[4], sum[2] + sum[3], sum[4]
    }'
}

jar_under_test() {
  local argument jar=''
  for argument in "$@"; do
    case $argument in -Ds3core.jar=*) jar=${argument#*=} ;; esac
  done
  if [ -z "$jar" ]; then
    jar=$(find "$here/../dist" -maxdepth 1 -name 's3core-hadoop-*.jar' 2>/dev/null | sort -V | tail -n 1)
    [ -n "$jar" ] || fail "no s3core-hadoop-*.jar in dist/: run make jar, or give -Ds3core.jar=PATH"
  fi
  [ -f "$jar" ] || fail "there is no jar $jar"
  realpath "$jar"
}

# Some of Hadoop's own tests leave directories behind.
remove_bucket() {
  local key
  request GET "$S3CORE_TEST_BUCKET?list-type=2" | { grep -o '<Key>[^<]*' || true; } | while read -r key; do
    request DELETE "$S3CORE_TEST_BUCKET/${key#<Key>}"
  done
  request DELETE "$S3CORE_TEST_BUCKET"
}

# request METHOD BUCKET[/KEY]: one signed request; prints the answer, everything but 2xx is a failure.
request() {
  local empty_sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855   # curl does not send it by itself before 8.3
  curl -sS -f -m 30 --noproxy '*' -X "$1" -H "x-amz-content-sha256: $empty_sha256" \
    --aws-sigv4 aws:amz:us-east-1:s3 --user "$S3CORE_TEST_ACCESS_KEY:$S3CORE_TEST_SECRET_KEY" "$S3CORE_TEST_ENDPOINT/$2"
}

main "$@"
