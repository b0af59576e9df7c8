#!/usr/bin/env bash
# Runs the suites and ends with one line: N passed, N failed, N skipped.
# usage: run.sh all | all-lines | lint | ceph | core | jar | contract-WHERE | distcp | committers | wheel | python | spark-VERSION | kills | life | ways-VERSION | neighbour | beside | demo | bench ...
#   all         what `make test` runs
#   all-lines   that, and Hadoop's tests on every line (contract-2.7 to contract-3.5), on the embedded endpoint
#               (contract-embedded), and on other releases of Ceph (contract-reef, contract-tentacle); Spark 2.4 and 4.0,
#               the ways to run it (ways-3.5, ways-4.2), our jar beside stock S3A (neighbour), and what both count (beside)
# Each suite's output goes to build/test-logs/SUITE.log; what failed is shown at the end.
# What single suites take from dist/ is built before them; of all suites, `jar` and `wheel` build it.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
logs=$root/build/test-logs
spark_3_5=3.5.7 spark_4_0=4.0.4 spark_4_2=4.2.0
every=(lint ceph core jar contract-3.3 contract-3.5 distcp committers wheel python spark-3.5 spark-4.2 kills life demo bench)
lines=(contract-2.7 contract-2.8 contract-2.10 contract-3.4 contract-embedded contract-reef contract-tentacle
  spark-2.4 spark-4.0 ways-3.5 ways-4.2 neighbour beside)

passed=0 failed=0 skipped=0 broken=()

main() {
  [ $# -gt 0 ] || usage
  cd "$root"
  if [ "$1" = --child ]; then
    "$2"
    return
  fi
  local suites=("$@") suite
  case $1 in
    all) suites=("${every[@]}") ;;
    all-lines)
      suites=("${every[@]}" "${lines[@]}")
      export S3CORE_TEST_TABLE_COMMITS=${S3CORE_TEST_TABLE_COMMITS:-30}
      ;;
  esac
  for suite in "${suites[@]}"; do
    [ "$(type -t "$(function_of "$suite")")" = function ] || usage
  done
  mkdir -p "$logs"
  if [ -z "${S3CORE_TOOLS:-}" ]; then
    local purposes
    mapfile -t purposes < <(for suite in "${suites[@]}"; do purposes_of "$suite"; done | sort -u)
    S3CORE_TOOLS=$("$here/tools.sh" "${purposes[@]}")
    export S3CORE_TOOLS PATH="$S3CORE_TOOLS/bin:$PATH"
  fi
  if [ -z "${S3CORE_TEST_ENDPOINT:-}" ] && [ "${suites[*]}" != lint ]; then
    exec "$here/ceph/with-ceph.sh" --tls --sts --ops-log -- "$here/run.sh" "$@"   # one cluster for all suites
  fi
  [[ $1 = all* ]] || build_for "${suites[@]}"
  for suite in "${suites[@]}"; do
    run "$suite"
  done
  for suite in "${broken[@]}"; do
    printf '\n=== %s failed; the end of build/test-logs/%s.log:\n' "$suite" "$suite"
    tail -n 80 "$logs/$suite.log"
  done
  for suite in "${broken[@]}"; do
    printf '\n=== what failed in %s:\n' "$suite"
    failures "$logs/$suite.log"
  done
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
}

usage() { sed -n '2,9s/^# \{0,1\}//p' "$here/run.sh" >&2; exit 2; }

function_of() { echo "suite_${1//[-.]/_}"; }

# child FUNCTION: one of the functions below in a bash of its own. Where a caller looks at the status, as in `f || ...`, bash
# ignores -e in all of f: a failure in its middle would go unnoticed.
child() { "$here/run.sh" --child "$1"; }

# What tools.sh has to install for a suite.
purposes_of() {
  case $1 in
    lint) echo lint ;;
    jar) printf '%s\n' build test ;;
    *) echo build ;;
  esac
}

build_for() {
  local suite jar=no wheel=no
  for suite in "$@"; do
    case $suite in
      contract-* | distcp | committers | wheel | spark-* | ways-* | neighbour | beside | bench) jar=yes ;;
      python | demo | kills | life) jar=yes wheel=yes ;;
    esac
  done
  [ "$jar" = no ] || build bindings-jvm/build.sh jar
  [ "$wheel" = no ] || build bindings-python/build.sh
}

build() {
  "$@" >"$logs/build.log" 2>&1 || { tail -n 80 "$logs/build.log"; echo "run.sh: $* failed: build/test-logs/build.log" >&2; exit 1; }
}

# run SUITE: runs it and adds its counts. A suite that ends badly without naming a failed test counts as one.
run() {
  local suite=$1 log=$logs/$1.log status=0 started=$SECONDS counts
  printf '%-17s ' "$suite"
  child "$(function_of "$suite")" >"$log" 2>&1 || status=$?
  read -r -a counts < <(count "$log")
  if [ "$status" -ne 0 ] && [ "${counts[1]}" -eq 0 ]; then
    counts[1]=1
  fi
  if [ "$status" -eq 0 ] && [ $((counts[0] + counts[1])) -eq 0 ]; then
    counts[0]=1   # a suite that is one check, such as a build with its own checks
  fi
  passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
  [ "${counts[1]}" -eq 0 ] || broken+=("$suite")
  printf '%5d passed %3d failed %3d skipped %5d s\n' "${counts[@]}" $((SECONDS - started))
}

# Sums the closing lines of cargo test, pytest, Surefire and our own scripts: "passed failed skipped".
count() {
  sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
    /^test result: / { passed += before("passed"); failed += before("failed"); skipped += before("ignored"); next }
    /^(=+ )?[0-9]+ (passed|failed|errors?|skipped).* in [0-9.]+s/ {
      passed += before("passed"); failed += before("failed") + before("errors?"); skipped += before("skipped"); next
    }
    /^[a-z0-9. -]+: [0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ {
      passed += before("passed"); failed += before("failed"); skipped += before("skipped")
    }
    END { print passed + 0, failed + 0, skipped + 0 }
    function before(word) { return match($0, "[0-9]+ " word) ? substr($0, RSTART, RLENGTH) + 0 : 0 }'
}

# What failed, for those who see the end of the output only: names of failed tests, and what tests of cargo panicked with (some
# that pass panic, too).
failures() {
  sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
    /^test .* FAILED$/ || /^(FAILED|ERROR) / || /^\[ERROR\] .*(FAILURE|ERROR)!/ { print }
    / panicked at / { lines = 8 }
    lines > 0 && /^(note: |test |$)/ { lines = 0 }
    lines > 0 { print substr($0, 1, 600); lines-- }' | tail -n 60
}

suite_lint() {
  local failures=0 checks=0 check
  for check in lint_rustfmt lint_clippy lint_ruff lint_mypy lint_shellcheck lint_runner lint_tools lint_alerts; do
    checks=$((checks + 1))
    echo "--- $check"
    child "$check" || failures=$((failures + 1))
  done
  echo "lint: $((checks - failures)) passed, $failures failed, 0 skipped"
  [ "$failures" -eq 0 ]
}

lint_rustfmt() { cargo fmt --all --check; }
lint_clippy() { cargo clippy --quiet --locked --workspace --all-targets -- -D warnings; }
lint_ruff() {
  python_folders | while read -r folder; do
    (cd "$folder"; ruff check .; ruff format --check .)
  done
}
# Types come from the packages that the folder runs with: those of the Spark tests for all.
lint_mypy() {
  local environment
  environment=$("$here/spark/venv.sh" "$spark_3_5")
  python_folders | while read -r folder; do
    (cd "$folder"; mypy --python-executable "$environment/bin/python" .)
  done
}
lint_shellcheck() { git ls-files -z -co --exclude-standard -- '*.sh' .ci/run | xargs -0 shellcheck -x; }
# What s3life's alerts fire on, and what they do not.
lint_alerts() {
  local promtool
  promtool=$("$here/promtool.sh")
  "$promtool" check rules lifecycle/monitoring/alerts.yaml
  "$promtool" test rules lifecycle/monitoring/alerts_test.yaml
}
# A suite that fails in its middle has failed.
lint_runner() {
  local status=0
  child fails_in_its_middle || status=$?
  [ "$status" -eq 1 ]
}
# Checkouts with other tools have another environment of them, and do not take each other's away.
lint_tools() {
  local directory first second again
  directory=$(mktemp -d)
  cp tests/tools.sh tests/promtool.sh "$directory/"
  printf '%s\n' '#!/bin/sh' "echo \"\$1\"" >"$directory/venv.sh"
  chmod +x "$directory/venv.sh"
  first=$(echo a==1 >"$directory/tools.txt"; "$directory/tools.sh" lint)
  second=$(echo a==2 >"$directory/tools.txt"; "$directory/tools.sh" lint)
  again=$(echo a==1 >"$directory/tools.txt"; "$directory/tools.sh" lint)
  rm -r "$directory"
  [ "$first" = "$again" ] && [ "$first" != "$second" ]
}
fails_in_its_middle() { false; echo "this comes after a failure"; }

# Every folder with a pyproject.toml: its own settings, its own Python.
python_folders() { git ls-files -co --exclude-standard -- '*pyproject.toml' | xargs -n 1 dirname; }

suite_ceph() {
  local environment
  environment=$("$here/spark/venv.sh" "$spark_3_5")   # for pytest and boto3
  (cd "$here/ceph" && env -u S3CORE_TEST_ENDPOINT "$environment/bin/python" -m pytest)
}

# s3core-python has no tests in Rust: its functions need an interpreter, and the suite `python` calls them from one.
suite_core() {
  cargo test --locked --config "target.'cfg(all())'.runner = ['$here/test-program.sh']" \
    -p s3core -p s3core-gateway -p s3core-jni -p s3life --no-fail-fast -- --nocapture
}

# The jar first: what the unit tests find must not keep the other suites from running.
suite_jar() {
  local status=0
  bindings-jvm/build.sh jar
  bindings-jvm/smoke-aarch64.sh
  echo "jar: 1 passed, 0 failed, 0 skipped"
  rm -rf bindings-jvm/target/surefire-reports   # counts are of this run
  bindings-jvm/build.sh test || status=$?
  "$here/junit-counts.sh" junit bindings-jvm/target/surefire-reports
  [ "$status" -eq 0 ]
}

suite_contract_2_7() { tests/maven-suite.sh contract -Dhadoop.line=2.7; }
suite_contract_2_8() { tests/maven-suite.sh contract -Dhadoop.line=2.8; }
suite_contract_2_10() { tests/maven-suite.sh contract -Dhadoop.line=2.10; }
suite_contract_3_3() { tests/maven-suite.sh contract -Dhadoop.line=3.3; }
suite_contract_3_4() { tests/maven-suite.sh contract -Dhadoop.line=3.4; }
suite_contract_3_5() { tests/maven-suite.sh contract -Dhadoop.line=3.5; }
suite_contract_reef() { contract_on_release reef; }
suite_contract_tentacle() { contract_on_release tentacle; }
contract_on_release() {
  env -u S3CORE_TEST_ENDPOINT tests/ceph/with-ceph.sh --release "$1" -- tests/maven-suite.sh contract -Dhadoop.line=3.4
}
suite_contract_embedded() {
  local line
  for line in 2.7 2.8 2.10 3.3 3.4 3.5; do
    tests/with-gateway.sh -- tests/maven-suite.sh contract "-Dhadoop.line=$line"
  done
}
suite_distcp() { tests/maven-suite.sh distcp; }
suite_committers() { tests/maven-suite.sh committers; }
suite_wheel() { bindings-python/build.sh; }
suite_python() { bindings-python/test.sh; }
suite_spark_3_5() { tests/spark/run.sh "$spark_3_5"; }
suite_spark_4_2() { tests/spark/run.sh "$spark_4_2"; }
suite_kills() { tests/spark/run.sh "$spark_3_5" kills; }
suite_life() { tests/spark/run.sh "$spark_3_5" life; }
# More of Spark than `all` has time for: the other lines, the ways to run it, and our jar beside other file systems.
suite_spark_2_4() { tests/spark/oldest.sh "$spark_3_5"; }
suite_spark_4_0() { tests/spark/run.sh "$spark_4_0"; }
suite_ways_3_5() { tests/spark/run.sh "$spark_3_5" ways; }
suite_ways_4_2() { tests/spark/run.sh "$spark_4_2" ways; }
suite_neighbour() { tests/spark/run.sh "$spark_4_0" neighbour; }
suite_beside() { tests/spark/run.sh "$spark_3_5" beside; }
suite_demo() { tests/demo.sh embedded "$spark_3_5"; }

# The benches' own tests, and whether they run at all. The figures of such a short run mean nothing.
suite_bench() {
  local environment
  environment=$("$here/spark/venv.sh" "$spark_3_5")
  (cd benches; "$environment/bin/python" -m pytest)
  benches/run.sh --quick --peers s3core
  benches/lifecycle.sh --quick
  echo "bench: 2 passed, 0 failed, 0 skipped"
}

main "$@"
