#!/usr/bin/env bash
# Prints the version of s3core: that of [workspace.package] in Cargo.toml, the only place that has it. Takes no arguments.
set -euo pipefail

manifest=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/Cargo.toml
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$manifest")
[ -n "$version" ] || { echo "version.sh: no version in [workspace.package] of $manifest" >&2; exit 1; }
echo "$version"
