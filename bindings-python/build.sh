#!/usr/bin/env bash
# Builds the wheel: dist/s3core-<version>-cp311-abi3-manylinux2014_<architecture>.whl, with the jar in it.
#
#   build.sh [ARCHITECTURE…]   x86_64, aarch64; without one: this machine's
#   build.sh develop           an editable installation into the active virtual environment (debug build)
#
# Expects dist/s3core-hadoop-<version>.jar (bindings-jvm/build.sh). Needs cargo and a Python with maturin and ziglang.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
dist=$root/dist
built=${CARGO_TARGET_DIR:-$root/target}/wheels
glibc=2.17

version=$("$root/tests/version.sh")
architectures=("${@:-$(uname -m)}")
# One of earlier sources would be tested and delivered when this build fails.
for architecture in "${architectures[@]}"; do
  rm -f "$dist"/s3core-*-manylinux*_"$architecture".whl
done
jar=$dist/s3core-hadoop-$version.jar
[ -f "$jar" ] || { echo "$jar is missing: run bindings-jvm/build.sh first" >&2; exit 1; }

# The jar's own folder, with this version's only: whatever lies there goes into the wheel.
rm -rf "$here/python/s3core/jars"
install -D -m 0644 "$jar" "$here/python/s3core/jars/$(basename "$jar")"

# check <wheel>: the glibc that the library needs, and that the jar is there.
check() {
  python3 - "$1" "$glibc" "$(basename "$jar")" <<'CHECK'
import re
import sys
import zipfile

wheel, glibc, jar = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    names = archive.namelist()
    library = archive.read("s3core/_s3core.abi3.so")
if f"s3core/jars/{jar}" not in names:
    sys.exit(f"{wheel} holds no {jar}")
needed = max(tuple(map(int, number.split(b"."))) for number in re.findall(rb"GLIBC_(2[.0-9]+)\0", library))
if needed > tuple(map(int, glibc.split("."))):
    sys.exit(f"{wheel} needs glibc {'.'.join(map(str, needed))}, newer than {glibc}")
print(f"{wheel}: highest glibc symbol version {'.'.join(map(str, needed))}")
CHECK
}

if [ "${1:-}" = develop ]; then
  cd "$here"
  exec maturin develop --locked
fi

cd "$here"
for architecture in "${architectures[@]}"; do
  rm -rf "$built"
  maturin build --release --locked --zig --compatibility manylinux2014 \
    --target "$architecture-unknown-linux-gnu" --out "$built"
  check "$built"/s3core-"$version"-*_"$architecture".whl
  install -D -m 0644 -t "$dist" "$built"/*.whl
done
