#!/usr/bin/env bash
# Runs a command with the tools of tools.sh first in PATH. usage: with-tools.sh COMMAND [ARGUMENT...]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
environment=$("$here/tools.sh")
PATH="$environment/bin:$PATH" exec "$@"
