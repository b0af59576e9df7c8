#!/usr/bin/env bash
# Installs what a purpose needs, where it is missing, and prints the directory with the Python tools.
# usage: tools.sh PURPOSE...
#
#   build   the jar and the wheel for both architectures: nothing that needs root
#   test    what the jar's smoke test needs besides: an aarch64 emulator and C library
#   lint    shellcheck, ruff, mypy, promtool
#
# Expects cargo (rustup) and Python 3.11, for `build` also a C compiler with binutils, a JDK of 17 or newer and Maven.
# Debian packages come by apt, as root or by sudo.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

main() {
  [ $# -gt 0 ] || { sed -n '2,10s/^# \{0,1\}//p' "$here/tools.sh" >&2; exit 2; }
  local purpose
  for purpose in "$@"; do
    case $purpose in
      build | test | lint) "$purpose" >&2 ;;
      *) fail "no purpose $purpose: build, test or lint" ;;
    esac
  done
  # Without root, and of a few seconds: not worth a division. Checkouts with other tools have an environment of their own.
  local hash
  read -r hash _ < <(cat "$here/tools.txt" "$here/venv.sh" | sha256sum)
  "$here/venv.sh" "tools-${hash:0:12}" "$here/tools.txt"
}

fail() { printf 'tools.sh: %s\n' "$*" >&2; exit 1; }

# zig, one of the Python tools, is compiler, linker and C library for the finished libraries; `cc` links build scripts,
# readelf checks the libraries.
build() {
  programs cargo rustup python3 cc javac mvn
  debian_packages binutils:readelf
  rust_targets
}

# The aarch64 library is opened under qemu-user.
test() { debian_packages qemu-user:qemu-aarch64 libc6-arm64-cross:/usr/aarch64-linux-gnu/lib/libc.so.6; }

lint() {
  programs cargo python3 cc
  debian_packages shellcheck:shellcheck
  "$here/promtool.sh"
}

programs() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || fail "$program is not in PATH: install it, then run again"
  done
}

# debian_packages PACKAGE:PROGRAM_OR_FILE...: installs each whose program or file is not there.
debian_packages() {
  local entry missing=() as_root=()
  for entry in "$@"; do
    case ${entry#*:} in
      /*) [ -e "${entry#*:}" ] || missing+=("${entry%%:*}") ;;
      *) command -v "${entry#*:}" >/dev/null || missing+=("${entry%%:*}") ;;
    esac
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "not a Debian system: install these yourself, then run again: ${missing[*]}"
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=300 update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}"
}

rust_targets() {
  local installed target
  installed=$(cd "$here/.." && rustup target list --installed)
  for target in x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu; do
    grep -qx "$target" <<<"$installed" || (cd "$here/.." && rustup target add "$target")
  done
}

main "$@"
