#!/usr/bin/env bash
# Runs core's tests, the capability table and a Spark smoke on each release of Ceph, and writes docs/releases.md.
# usage: run.sh [pacific] [reef] [tentacle]        (all three by default; the last two need root, see tests/ceph/README.md)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$(dirname "$here")")
logs=$root/build/test-logs

main() {
  cd "$root"
  mkdir -p "$logs"
  unset S3CORE_TEST_ENDPOINT   # each release has its own
  local jar
  jar=dist/s3core-hadoop-$(tests/version.sh).jar
  [ -f "$jar" ] || { echo "$jar is missing: run make test-releases, which builds it" >&2; exit 1; }
  local releases=("$@") release status=0 options
  [ $# -gt 0 ] || releases=(pacific reef tentacle)
  for release in "${releases[@]}"; do
    options=(--release "$release")
    [ "$release" != pacific ] || options=()
    printf '%-9s ' "$release"
    if tests/ceph/with-ceph.sh "${options[@]}" --tls --sts -- "$here/suites.sh" >"$logs/release-$release.log" 2>&1; then
      echo passed
    else
      echo "failed: build/test-logs/release-$release.log"
      status=1
    fi
  done
  [ "$status" -eq 0 ] || exit "$status"
  [ ${#releases[@]} -lt 3 ] || table >docs/releases.md
}

# The lines "capability RELEASE VERSION NAME yes|no" of the logs, as a table with a column for each release.
table() {
  cat <<'HEAD'
# What each release of Ceph can do

Found by s3core's own probes (`core/src/probe.rs`) on real clusters; `make test-releases` writes this page. What a gateway
does not have, s3core does not use there: unknown means absent.

HEAD
  grep -h '^capability ' "$logs"/release-{pacific,reef,tentacle}.log | sort -u | awk '
    { release = $2; version[release] = $3; has[$4, release] = $5; if (!seen[$4]++) names[++count] = $4 }
    END {
      split("pacific reef tentacle", releases, " ")
      title["ExclusivePut"] = "PutObject with `If-None-Match: *` does not replace"
      title["ConditionalPut"] = "PutObject with the bare ETag in `If-Match` replaces that object only"
      title["QuotedIfMatch"] = "PutObject takes the quoted ETag in `If-Match` (else only the bare one)"
      title["ExclusiveComplete"] = "CompleteMultipartUpload with `If-None-Match: *` does not replace"
      title["ConditionalDelete"] = "DeleteObject honours `If-Match`"
      title["DeleteIfUnmodifiedSince"] = "DeleteObject honours `x-amz-delete-if-unmodified-since`"
      line = "| |"; rule = "|---|"
      for (r = 1; r <= 3; r++) { line = line " " releases[r] " " version[releases[r]] " |"; rule = rule "---|" }
      print line; print rule
      for (n = 1; n <= count; n++) {
        line = "| " title[names[n]] " |"
        for (r = 1; r <= 3; r++) line = line " " has[names[n], releases[r]] " |"
        print line
      }
    }'
}

main "$@"
