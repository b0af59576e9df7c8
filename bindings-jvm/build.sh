#!/usr/bin/env bash
# Builds the jar and what is in it.
#
#   build.sh native   both native libraries (release, glibc 2.17), checked, into target/native
#   build.sh jar      the same, then dist/s3core-hadoop-<version>.jar
#   build.sh test     this machine's native library (debug), then the JUnit tests
#
# Needs cargo, cargo-zigbuild and zig (CARGO_ZIGBUILD_ZIG_PATH, or the Python package ziglang), a JDK and Maven.
# MAVEN_OPTIONS is handed to Maven ("-o" for offline).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
dist=$root/dist
target=${CARGO_TARGET_DIR:-$root/target}
staged=$here/target/native
library=libs3core_jni.so
glibc=2.17
largest_jar=$((15 * 1024 * 1024))

version=$("$root/tests/version.sh")

# stage <library> <architecture>: where the jar looks for it, with its digest and length.
stage() {
  local directory=$staged/org/s3core/hadoop/native/linux-$2
  mkdir -p "$directory"
  install -m 0644 "$1" "$directory/$library"
  echo "$(sha256sum < "$1" | cut -d' ' -f1) $(stat -c %s "$1")" > "$directory/$library.sha256"
}

# check <library>: the symbols that it needs and gives.
check() {
  local newest foreign
  newest=$(readelf --wide --version-info "$1" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -uV | tail -1)
  if [ "$(printf '%s\n' "$newest" "$glibc" | sort -V | tail -1)" != "$glibc" ]; then
    echo "$1 needs glibc $newest, newer than $glibc" >&2
    exit 1
  fi
  foreign=$(readelf --wide --dyn-syms "$1" | awk '$7 != "UND" && $5 != "LOCAL" && $8 != "" && NR > 3 {print $8}' |
    grep -Ev '^(Java_org_s3core_hadoop_Native_|JNI_OnLoad$|s3core_jni_)' || true)
  if [ -n "$foreign" ]; then
    echo "$1 exports more than its native methods: ${foreign//$'\n'/ }" >&2
    exit 1
  fi
  readelf --wide --dynamic "$1" | grep -q NODELETE || { echo "$1 is not linked with -z nodelete" >&2; exit 1; }
  echo "$1: $(stat -c %s "$1") bytes, highest glibc symbol version $newest"
}

native() {
  local architecture triple
  rm -rf "$staged"
  for architecture in x86_64 aarch64; do
    triple=$architecture-unknown-linux-gnu
    (cd "$root" && cargo zigbuild --quiet --locked --release -p s3core-jni --target "$triple.$glibc")
    check "$target/$triple/release/$library"
    stage "$target/$triple/release/$library" "$architecture"
  done
}

maven() {
  # Copies of an earlier build would go into the jar as well.
  rm -rf "$here/target/classes/org/s3core/hadoop/native"
  # shellcheck disable=SC2086
  (cd "$here" && mvn -q -B ${MAVEN_OPTIONS:-} "-Drevision=$version" "$@")
}

jar() {
  local built=$here/target/s3core-hadoop-$version.jar size
  rm -f "$dist"/s3core-hadoop-*.jar   # one of earlier sources would be tested and delivered when this build fails
  native
  maven -DskipTests package
  size=$(stat -c %s "$built")
  if [ "$size" -gt "$largest_jar" ]; then
    echo "$built is $size bytes, more than $largest_jar" >&2
    exit 1
  fi
  install -D -m 0644 "$built" "$dist/${built##*/}"
  echo "$dist/${built##*/}: $size bytes"
}

test() {
  staged=$here/target/native-debug   # what `native` made stays for the jar and the smoke test
  rm -rf "$staged"
  (cd "$root" && cargo build --quiet --locked -p s3core-jni)
  stage "$target/debug/$library" "$(uname -m)"
  maven "-Dnative.directory=$staged" test
}

case "${1:-jar}" in
  native | jar | test) "${1:-jar}" ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
