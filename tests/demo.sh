#!/usr/bin/env bash
# Runs the demo: the main job on 336,776 flights, from the wheel, in an environment of its own.
# usage: demo.sh embedded|ceph|URL [PYSPARK_VERSION]     under tests/with-tools.sh, or with its tools in PATH
# URL is an endpoint of yours; its keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
endpoint=${1:-embedded}
spark=${2:-3.5.7}
environment=${XDG_CACHE_HOME:-$HOME/.cache}/s3core/venv-demo-$spark

main() {
  cd "$root"
  [ -n "$(find dist -name 's3core-hadoop-*.jar' 2>/dev/null)" ] || bindings-jvm/build.sh jar
  [ -n "$(find dist -name 's3core-*.whl' 2>/dev/null)" ] || bindings-python/build.sh
  prepare
  case $endpoint in
    ceph)
      # shellcheck disable=SC2016   # expanded by the inner shell, which knows the endpoint
      exec "$here/ceph/with-ceph.sh" -- bash -c 'exec "$0" -m s3core.demo --endpoint "$S3CORE_TEST_ENDPOINT" \
        --access-key "$S3CORE_TEST_ACCESS_KEY" --secret-key "$S3CORE_TEST_SECRET_KEY"' "$environment/bin/python"
      ;;
    *) exec "$environment/bin/python" -m s3core.demo --endpoint "$endpoint" ;;
  esac
}

# The environment, made again when its requirements change; the wheel is installed anew each time.
prepare() {
  local wanted
  wanted=$(cat bindings-python/requirements-demo.txt; echo "pyspark==$spark")
  mkdir -p "$(dirname "$environment")"
  if [ "$(cat "$environment/made-from" 2>/dev/null)" != "$wanted" ]; then
    echo "demo.sh: installing PySpark $spark and the flights (once)" >&2
    rm -rf -- "$environment"
    python3 -m venv "$environment"
    # PySpark is a source archive whose wheel is made by setuptools and wheel, named here so that they are pinned too.
    "$environment/bin/pip" install --quiet setuptools==80.9.0 wheel==0.45.1
    "$environment/bin/pip" install --quiet --no-build-isolation -r bindings-python/requirements-demo.txt "pyspark==$spark"
    printf '%s\n' "$wanted" >"$environment/made-from"   # last: a broken installation is made again
  fi
  "$environment/bin/pip" install --quiet --force-reinstall --no-deps dist/s3core-*.whl
}

main
