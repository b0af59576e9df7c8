#!/usr/bin/env bash
# Sums Surefire's reports: prints "NAME: N passed, N failed, N skipped". usage: junit-counts.sh NAME DIRECTORY
set -euo pipefail

name=${1:?usage: junit-counts.sh NAME DIRECTORY}
directory=${2:?usage: junit-counts.sh NAME DIRECTORY}
reports=("$directory"/TEST-*.xml)
[ -f "${reports[0]}" ] || { echo "$name: no test ran: $directory has no report" >&2; exit 1; }
cat "${reports[@]}" | awk -v name="$name" '
  /<testsuite / {
    tests += attribute("tests"); errors += attribute("errors"); failures += attribute("failures"); skipped += attribute("skipped")
  }
  END { printf "%s: %d passed, %d failed, %d skipped\n", name, tests - errors - failures - skipped, errors + failures, skipped }
  function attribute(key) { return match($0, " " key "=\"[0-9]+\"") ? substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 4) + 0 : 0 }'
