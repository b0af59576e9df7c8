# What a developer types. `make help` lists it. Everything that a target needs is installed by it where it is missing: Rust
# targets, Python tools below ~/.cache/s3core, and for tests, lint and a real Ceph Debian packages (root or sudo).
# Targets that run what was built build it first: cargo and Maven decide what is stale.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

ENDPOINT ?= embedded
SPARK ?= 3.5.7

.PHONY: help tools lint jar wheel test test-all test-releases demo bench docs clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

tools: ## Install what building and testing need, where it is missing
	@tests/tools.sh build test lint >/dev/null

lint: ## Formatting, clippy, ruff, mypy, shellcheck, alerts
	@tests/run.sh lint

jar: ## dist/s3core-hadoop-VERSION.jar for linux x86_64 and aarch64
	@tests/with-tools.sh build bindings-jvm/build.sh jar

wheel: jar ## dist/s3core-VERSION-*.whl, which carries the jar
	@tests/with-tools.sh build bindings-python/build.sh

test: ## Everything, on real Ceph 16 and real Spark; ends with one line of counts
	@tests/run.sh all

test-all: ## The same, and Hadoop's own tests on each Hadoop from 2.7 to 3.5, on Ceph 18 and 20, and on the embedded endpoint
	@tests/run.sh all-lines

test-releases: jar ## core's tests, the capability table and a Spark smoke on Reef and Tentacle; writes docs/releases.md
	@tests/releases/run.sh

demo: wheel ## The main job on 336,776 flights: make demo [ENDPOINT=ceph] [SPARK=4.2.0]
	@tests/demo.sh "$(ENDPOINT)" "$(SPARK)"

bench: jar ## Ours beside stock S3A, HDFS and file://, and s3life; writes benches/RESULTS.md, LIFECYCLE.md and the README's chart
	@benches/run.sh
	@benches/lifecycle.sh

docs: ## Write what is generated again: docs/options.md, docs/errors.md, docs/s3a.md, lifecycle/policy.schema.json
	@S3CORE_WRITE_DOCS=1 cargo test --locked -p s3core --test generated_docs
	@S3CORE_WRITE_DOCS=1 cargo test --locked -p s3life --lib schema

clean: ## Remove everything that was built
	rm -rf target dist build bindings-jvm/target tests/contract/target tests/distcp/target benches/target
