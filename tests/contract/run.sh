#!/usr/bin/env bash
# Runs Hadoop's FileSystem contract tests on the finished jar against a real endpoint, in a bucket made for this run.
# usage: S3CORE_TEST_ENDPOINT=http://... S3CORE_TEST_ACCESS_KEY=... S3CORE_TEST_SECRET_KEY=... run.sh [maven options]
#   -Ds3core.jar=PATH       jar under test (default: the one in dist/)
#   -Dtest=TestRename       one class only, or -Dtest=TestRename#testRenameNewFileSameDir
# The last line counts: "contract: N passed, N failed, N skipped". Tests skip themselves where the contract says that
# the file system is an object store.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fail() { printf 'contract: %s\n' "$*" >&2; exit 1; }

main() {
  for name in S3CORE_TEST_ENDPOINT S3CORE_TEST_ACCESS_KEY S3CORE_TEST_SECRET_KEY; do
    [ -n "${!name:-}" ] || fail "$name is not set: start an endpoint with tests/ceph/with-ceph.sh, or give your own"
  done
  local jar
  jar=$(jar_under_test "$@")
  S3CORE_TEST_BUCKET=contract-$$-$(date +%s)
  export S3CORE_TEST_BUCKET
  request PUT "$S3CORE_TEST_BUCKET" || fail "$S3CORE_TEST_ENDPOINT did not make the bucket $S3CORE_TEST_BUCKET"
  trap 'request DELETE "$S3CORE_TEST_BUCKET" || echo "contract: the bucket $S3CORE_TEST_BUCKET is not empty and stays" >&2' EXIT

  rm -rf "$here/target/surefire-reports"   # counts are of this run
  local status=0
  mvn --batch-mode --no-transfer-progress -f "$here/pom.xml" test "$@" "-Ds3core.jar=$jar" || status=$?
  "$here/../junit-counts.sh" contract "$here/target/surefire-reports" || status=1
  return "$status"
}

jar_under_test() {
  local argument jar=''
  for argument in "$@"; do
    case $argument in -Ds3core.jar=*) jar=${argument#*=} ;; esac
  done
  if [ -z "$jar" ]; then
    jar=$(find "$here/../../dist" -maxdepth 1 -name 's3core-hadoop-*.jar' 2>/dev/null | sort -V | tail -n 1)
    [ -n "$jar" ] || fail "no s3core-hadoop-*.jar in dist/: run make jar, or give -Ds3core.jar=PATH"
  fi
  [ -f "$jar" ] || fail "there is no jar $jar"
  realpath "$jar"
}

# request METHOD BUCKET: one signed request; 404 at DELETE cannot happen, everything but 2xx is a failure.
request() {
  local empty_sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855   # curl does not send it by itself before 8.3
  curl -sS -f -o /dev/null -m 30 --noproxy '*' -X "$1" -H "x-amz-content-sha256: $empty_sha256" \
    --aws-sigv4 aws:amz:us-east-1:s3 --user "$S3CORE_TEST_ACCESS_KEY:$S3CORE_TEST_SECRET_KEY" "$S3CORE_TEST_ENDPOINT/$2"
}

main "$@"
