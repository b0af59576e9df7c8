#!/usr/bin/env bash
# What runs on each release, under tests/ceph/with-ceph.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo test --locked -p s3core -- --nocapture
# Without what shows a limit of Pacific.
cargo test --locked -p s3life --test act --test applies --test plans --test state --test tiering -- --nocapture --skip overlapping
cargo test --locked -p s3life --test views quotas -- --nocapture
tests/spark/run.sh 3.5.7 test_filesystem_calls.py test_formats.py
