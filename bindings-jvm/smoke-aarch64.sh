#!/usr/bin/env bash
# Opens the aarch64 library under qemu-user, resolves JNI_OnLoad and a native method, and calls a plain function.
#
# Needs the library (build.sh native), qemu-aarch64, a zig compiler (CARGO_ZIGBUILD_ZIG_PATH, or the Python package
# ziglang) and an arm64 C library: Debian's libc6-arm64-cross, or another sysroot in QEMU_LD_PREFIX.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
library=$here/target/native/org/s3core/hadoop/native/linux-aarch64/libs3core_jni.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -f "$library" ] || { echo "$library is missing: run $here/build.sh native" >&2; exit 1; }
version=$("$here/../tests/version.sh")

cat > "$work/smoke.c" <<'C'
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>

int main(int count, char **arguments) {
    (void)count;
    void *library = dlopen(arguments[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    int (*on_load)(void *, void *) = (int (*)(void *, void *))dlsym(library, "JNI_OnLoad");
    size_t (*length)(void) = (size_t(*)(void))dlsym(library, "s3core_jni_version_length");
    if (!on_load || !length || !dlsym(library, "Java_org_s3core_hadoop_Native_openStore")) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    printf("%x %zu\n", (unsigned)on_load(NULL, NULL), length());
    return 0;
}
C

if [ -n "${CARGO_ZIGBUILD_ZIG_PATH:-}" ]; then
  zig=("$CARGO_ZIGBUILD_ZIG_PATH")
else
  zig=(python3 -m ziglang)
fi
"${zig[@]}" cc -target aarch64-linux-gnu.2.17 -o "$work/smoke" "$work/smoke.c" -ldl
found=$(qemu-aarch64 -L "${QEMU_LD_PREFIX:-/usr/aarch64-linux-gnu}" "$work/smoke" "$library")
expected="10008 ${#version}"
if [ "$found" != "$expected" ]; then
  echo "the aarch64 library answers '$found' rather than '$expected'" >&2
  exit 1
fi
echo "aarch64 under qemu-user: JNI version 1.8, calls work"
