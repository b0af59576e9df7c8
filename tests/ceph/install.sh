#!/usr/bin/env bash
# Installs what up.sh needs from Debian's packages, only where it is missing. Takes no arguments; does nothing when all is there.
set -euo pipefail

fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

main() {
  local packages as_root=()
  read -r -a packages <<<"$(missing_packages)"
  [ "${#packages[@]}" -gt 0 ] || return 0
  command -v apt-get >/dev/null ||
    fail "not a Debian system (no apt-get): install these programs yourself, then run again: ${packages[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null ||
      fail "not root, and sudo asks for a password. Run: sudo apt-get install --no-install-recommends ${packages[*]}"
    as_root=(sudo)
  fi
  echo "install.sh: installing ${packages[*]}" >&2
  # Another apt may hold the lock for a while on a machine that has just booted.
  "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=300 update >&2 || fail "apt-get update failed: see above"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${packages[@]}" >&2 ||
    fail "apt-get install ${packages[*]} failed: see above"
  read -r -a packages <<<"$(missing_packages)"
  [ "${#packages[@]}" -eq 0 ] || fail "still missing after the installation: ${packages[*]}"
}

# The packages whose program is not in PATH, on one line.
missing_packages() {
  local entry package program missing=()
  for entry in radosgw:radosgw ceph-mon:ceph-mon ceph-mgr:ceph-mgr ceph-osd:ceph-osd ceph-common:ceph \
    curl:curl openssl:openssl; do
    package=${entry%%:*} program=${entry##*:}
    command -v "$program" >/dev/null || missing+=("$package")
  done
  echo "${missing[*]-}"
}

main
