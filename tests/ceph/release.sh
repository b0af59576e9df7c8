#!/usr/bin/env bash
# Another release of Ceph than the machine's own, from a newer Debian in a chroot. Usage and options: release.sh --help
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: release.sh [--root ROOT] [--mirror URL] up NAME DIR [options of up.sh]
       release.sh [--root ROOT] down [--keep] NAME DIR
       release.sh [--root ROOT] remove NAME

Needs root and a Debian host (debootstrap is installed where missing). NAME is reef (from Debian trixie) or tentacle
(from sid), and the release that Debian has there must be that one; or the name of a Debian suite, for whatever it has.

  up       installs the release into ROOT the first time (two minutes or so, 1 GB), then starts a cluster in DIR and
           writes DIR/env as up.sh does, and with S3CORE_TEST_RADOSGW_ADMIN, a program that runs the release's own
           radosgw-admin for that cluster; DIR has the same path inside and outside
  down     stops that cluster
  remove   deletes ROOT

  --root ROOT    default ~/.cache/s3core/ceph-SUITE
  --mirror URL   default: the first Debian mirror in the host's apt sources
USAGE
}

fail() { printf 'release.sh: %s\n' "$*" >&2; exit 1; }

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly SCRIPTS=/opt/s3core-ceph   # where this folder is mounted inside ROOT
readonly MARK=.s3core-ceph            # a file in every ROOT that this script made, so that it removes no other directory
root='' mirror=''

main() {
  local action suite release
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) usage; exit 0 ;;
      --root) root=$(realpath -m -- "${2:?--root needs a path}"); shift 2 ;;
      --mirror) mirror=${2:?--mirror needs a URL}; shift 2 ;;
      *) break ;;
    esac
  done
  [ $# -ge 2 ] || { usage >&2; exit 2; }
  action=$1
  shift
  case $action in
    up) name_release "$1"; shift; up "$@" ;;
    down) down "$@" ;;
    remove) name_release "$1"; remove ;;
    _install | _start) root=$1; shift; "$action" "$@" ;;   # this script calls itself, see in_private_mounts
    *) usage >&2; fail "unknown action $action" ;;
  esac
}

name_release() {
  release=$1
  case $1 in
    reef) suite=trixie ;;
    tentacle) suite=sid ;;
    *) suite=$1 release='' ;;
  esac
  root=${root:-$HOME/.cache/s3core/ceph-$suite}
}

up() {
  local directory=${1:?up needs a DIR}
  shift
  [ "$(id -u)" -eq 0 ] || fail "needs root for chroot and mount: run it with sudo"
  directory=$(realpath -m -- "$directory")
  mkdir -p "$(dirname "$root")"
  # Two starts at once install once. The lock ends with this subshell, before the daemons start.
  (
    flock 9
    grep -q -s installed "$root/$MARK" || install_root
  ) 9>"$root.lock"
  check_release
  mkdir -p "$directory"
  in_private_mounts _start "$root" "$directory" "$@" >/dev/null
  write_administration "$directory"
  cat "$directory/env"
}

# The machine's own radosgw-admin does not read the keys of newer releases. The release's lies in ROOT, and the cluster's
# directory in the mount namespace of its processes.
write_administration() {
  local directory=$1
  # shellcheck disable=SC2016  # the program expands it
  printf '#!/bin/sh\nexec nsenter --mount --root --target "$(cat %s/mon.a.pid)" /usr/bin/radosgw-admin -c %s/ceph.conf "$@"\n' \
    "$directory" "$directory" >"$directory/radosgw-admin"
  chmod +x "$directory/radosgw-admin"
  echo "S3CORE_TEST_RADOSGW_ADMIN=$directory/radosgw-admin" >>"$directory/env"
}

# Mounts made in a mount namespace of their own are seen by nobody else and vanish with the last process in it, that is
# with the cluster, even one that was killed: there is nothing to unmount and no /dev to delete by accident.
in_private_mounts() { unshare --mount --propagation private "$HERE/release.sh" "$@"; }

install_root() {
  command -v apt-get >/dev/null || fail "not a Debian system: no apt-get"
  if ! command -v debootstrap >/dev/null; then
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends debootstrap >&2 ||
      fail "apt-get install debootstrap failed: see above"
  fi
  [ -n "$mirror" ] || mirror=$(find_mirror)
  [ -n "$mirror" ] || fail "no Debian mirror in apt's sources: give one with --mirror URL"
  remove_root   # an unfinished one
  mkdir -p "$root"
  touch "$root/$MARK"
  echo "release.sh: installing Ceph of Debian $suite into $root; log: $root.log" >&2
  in_private_mounts _install "$root" "$suite" "$mirror" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    fail "the installation of $suite failed; the whole log is $root.log"
  }
  echo installed >"$root/$MARK"
}

# What apt itself would ask for packages of the main archive, so that both formats of source files count.
find_mirror() {
  # shellcheck disable=SC2016  # apt fills in these names
  apt-get indextargets --no-release-info --format '$(COMPONENT) $(REPO_URI)' |
    awk '$1 == "main" && $2 ~ /^https?:.*\/debian\/?$/ && !found { print $2; found = 1 }'
}

_install() {
  local suite=$1 mirror=$2 packages program
  # Release files of a frozen mirror may be older than their own limit.
  debootstrap --variant=minbase "$suite" "$root" "$mirror"
  echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/90s3core"
  # No service may start: the chroot shares the host's network and processes.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  mount_system
  packages='radosgw ceph-mon ceph-mgr ceph-osd ceph-common curl openssl procps'
  # A package script may fail in a chroot although the programs work: what counts is that they are there.
  # shellcheck disable=SC2086  # a list
  inside apt-get -q update && inside apt-get -q -y install --no-install-recommends $packages ||
    inside dpkg --configure -a || true
  for program in radosgw ceph-mon ceph-mgr ceph-osd ceph curl openssl; do
    [ -x "$root/usr/bin/$program" ] || fail "$program was not installed"
  done
  inside apt-get clean
}

check_release() {
  local found
  found=$(inside radosgw --version | awk '{ print $5 }')
  if [ -n "$release" ] && [ "$found" != "$release" ]; then
    fail "Debian $suite has Ceph $found in $root, not $release: use '$suite' as the NAME to run it all the same, \
or '$HERE/release.sh remove $release' to install anew"
  fi
}

_start() {
  local directory=$1
  mount_system
  mkdir -p "$root$directory" "$root$SCRIPTS"
  mount --bind "$directory" "$root$directory"
  mount --bind "$HERE" "$root$SCRIPTS"
  inside "$SCRIPTS/up.sh" "$@"
}

mount_system() {
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --rbind /sys "$root/sys"
}

# inside PROGRAM [ARGUMENT...]: in the chroot, without the host's variables except those for reaching a mirror.
inside() {
  local variable keep=()
  for variable in http_proxy https_proxy no_proxy; do
    [ -z "${!variable:-}" ] || keep+=("$variable=${!variable}")
  done
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "${keep[@]}" chroot "$root" "$@"
}

down() {
  local keep=() directory
  if [ "$1" = --keep ]; then
    keep=(--keep)
    shift
  fi
  name_release "${1:?down needs a NAME}"
  directory=$(realpath -m -- "${2:?down needs a DIR}")
  "$HERE/down.sh" "${keep[@]}" "$directory"
  [ ! -d "$root$directory" ] || rmdir -- "$root$directory"   # the empty mount point
}

remove() {
  local process
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/root")" != "$root" ] || fail "process ${process#/proc/} still runs in $root: stop its cluster first"
  done
  remove_root
  rm -f -- "$root.lock" "$root.log"
}

remove_root() {
  [ -e "$root" ] || return 0
  [ -f "$root/$MARK" ] || fail "$root was not made by this script (it has no file $MARK): give another --root"
  rm -rf --one-file-system -- "$root"
}

main "$@"
