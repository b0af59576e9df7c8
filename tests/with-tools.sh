#!/usr/bin/env bash
# Runs a command with the tools for a purpose of tools.sh first in PATH. usage: with-tools.sh PURPOSE COMMAND [ARGUMENT...]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
environment=$("$here/tools.sh" "${1:?usage: with-tools.sh PURPOSE COMMAND [ARGUMENT...]}")
shift
PATH="$environment/bin:$PATH" exec "$@"
