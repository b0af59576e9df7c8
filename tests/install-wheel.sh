#!/usr/bin/env bash
# Installs this version's wheel for this machine from dist/ into a virtual environment. usage: install-wheel.sh DIRECTORY
# Whoever runs something in there afterwards holds a lock from before this until the end.
set -euo pipefail

environment=${1:?usage: install-wheel.sh DIRECTORY}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
wheels=("$here"/../dist/s3core-"$("$here/version.sh")"-*_"$(uname -m)".whl)
[ -f "${wheels[0]}" ] || { echo "no wheel of this version for $(uname -m) in dist/: run make wheel" >&2; exit 1; }
"$environment/bin/pip" install --quiet --force-reinstall --no-deps "${wheels[0]}"
