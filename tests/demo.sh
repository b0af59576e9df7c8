#!/usr/bin/env bash
# Runs the demo: the main job on 336,776 flights, from the wheel in dist/, in an environment of its own.
# usage: demo.sh embedded|ceph|URL [PYSPARK_VERSION]     `make demo` builds the wheel before
# URL is an endpoint of yours; its keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
endpoint=${1:-embedded}
spark=${2:-3.5.7}

main() {
  local environment
  environment=$("$here/venv.sh" "demo-$spark" "$here/../bindings-python/requirements-demo.txt" "pyspark==$spark")
  exec 9>"$environment.in-use"
  # Two runs at once: the wheel is not replaced under the first.
  flock -n 9 || { echo "demo.sh: waiting for another run to end" >&2; flock 9; }
  "$here/install-wheel.sh" "$environment"
  case $endpoint in
    ceph)
      # shellcheck disable=SC2016   # expanded by the inner shell, which knows the endpoint
      exec "$here/ceph/with-ceph.sh" -- bash -c 'exec "$0" -m s3core.demo --endpoint "$S3CORE_TEST_ENDPOINT" \
        --access-key "$S3CORE_TEST_ACCESS_KEY" --secret-key "$S3CORE_TEST_SECRET_KEY"' "$environment/bin/python"
      ;;
    *) exec "$environment/bin/python" -m s3core.demo --endpoint "$endpoint" ;;
  esac
}

main
