#!/usr/bin/env bash
# Unpacks Java 8 into ~/.cache/s3core/java-8 and prints its JAVA_HOME. Spark 2.4 runs on no newer one.
# usage: java-8.sh PATCHELF
#
# Debian has Java 8 in sid only, linked against sid's C library. Both are taken from their packages, checked by apt, and
# put into a folder of their own; the program `java` is told to load that library. Nothing is installed.
set -euo pipefail

patchelf=${1:?usage: java-8.sh PATCHELF}
target=${XDG_CACHE_HOME:-$HOME/.cache}/s3core/java-8
packages=(openjdk-8-jre-headless libc6 libgcc-s1 libstdc++6 zlib1g)
java_home=$target/usr/lib/jvm/java-8-openjdk-amd64/jre

main() {
  [ "$(uname -m)" = x86_64 ] || fail "these packages are those of x86_64"
  command -v apt-get >/dev/null || fail "not a Debian system: no apt-get"
  mkdir -p "$(dirname "$target")"
  exec 9>"$target.lock"
  flock 9   # two runs at once: the second waits and finds it made
  [ -e "$target/made" ] || make >&2
  echo "$java_home"
}

fail() { printf 'java-8.sh: %s\n' "$*" >&2; exit 1; }

make() {
  echo "java-8.sh: making $target (once)"
  rm -rf -- "$target"
  mkdir -p "$target/apt/lists/partial" "$target/apt/archives/partial"
  (cd "$target/apt" && download)
  local package library=$target/usr/lib/x86_64-linux-gnu
  for package in "$target"/apt/*.deb; do
    dpkg-deb --extract "$package" "$target"
  done
  rm -rf -- "$target/apt"
  own_settings
  # The program alone: what java starts in its turn has the machine's own library.
  "$patchelf" --set-interpreter "$library/ld-linux-x86-64.so.2" --force-rpath \
    --set-rpath "$library:$java_home/lib/amd64/jli:$java_home/lib/amd64" "$java_home/bin/java"
  "$java_home/bin/java" -version
  touch "$target/made"   # last: what was broken off is made again
}

# In the current directory, with lists of its own: those of the machine stay as they are.
download() {
  local mirror options
  # shellcheck disable=SC2016  # apt fills in these names
  mirror=$(apt-get indextargets --no-release-info --format '$(COMPONENT) $(REPO_URI)' |
    awk '$1 == "main" && $2 ~ /^https?:.*\/debian\/?$/ && !found { print $2; found = 1 }')
  [ -n "$mirror" ] || fail "no Debian mirror in apt's sources"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >sources.list
  options=(-q -o "Dir::Etc::sourcelist=$PWD/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$PWD/lists"
    -o "Dir::Cache=$PWD" -o APT::Sandbox::User=root -o Acquire::Languages=none
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
    -o Acquire::Check-Valid-Until=false)   # release files of a frozen mirror may be older than their own limit
  apt-get "${options[@]}" update
  apt-get "${options[@]}" download "${packages[@]}"
}

# The package's settings are links to /etc, where nothing of it is installed.
own_settings() {
  local link setting
  find "$java_home" -type l -lname '/etc/*' | while read -r link; do
    setting=$target$(readlink "$link")
    rm -- "$link"
    [ ! -e "$setting" ] || cp -- "$setting" "$link"
  done
}

main "$@"
