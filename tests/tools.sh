#!/usr/bin/env bash
# Installs what building and testing need, where it is missing, and prints the directory with the Python tools.
# usage: tools.sh
# Expects cargo (rustup), Python 3.11, a JDK of 17 or newer and Maven; Debian packages come by apt, as root or by sudo.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
environment=${XDG_CACHE_HOME:-$HOME/.cache}/s3core/venv-tools

main() {
  local program
  for program in cargo python3 javac mvn; do
    command -v "$program" >/dev/null || fail "$program is not in PATH: install it, then run again"
  done
  {
    debian_packages
    rust_targets
    python_tools
  } >&2
  echo "$environment"
}

fail() { printf 'tools.sh: %s\n' "$*" >&2; exit 1; }

# The aarch64 library is tried under qemu-user; readelf checks both.
debian_packages() {
  local missing=()
  command -v qemu-aarch64 >/dev/null || missing+=(qemu-user)
  [ -e /usr/aarch64-linux-gnu/lib/libc.so.6 ] || missing+=(libc6-arm64-cross)
  command -v readelf >/dev/null || missing+=(binutils)
  command -v shellcheck >/dev/null || missing+=(shellcheck)
  [ "${#missing[@]}" -eq 0 ] && return
  command -v apt-get >/dev/null || fail "not a Debian system: install these yourself, then run again: ${missing[*]}"
  local as_root=()
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

python_tools() {
  mkdir -p "$(dirname "$environment")"
  exec 9>"$environment.lock"
  flock 9   # two runs at once: the second waits and finds it made
  if ! cmp -s "$here/tools.txt" "$environment/made-from"; then
    rm -rf -- "$environment"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet -r "$here/tools.txt"
    cp "$here/tools.txt" "$environment/made-from"   # last: a broken installation is made again
  fi
}

main
