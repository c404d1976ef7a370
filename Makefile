# Everything a person types. Each target is one line of the `tidegate` command or of a common tool.
SHELL := /bin/sh
T := .venv/bin/tidegate

.PHONY: demo test tools unit conformance integration e2e lint format stubs bench down doctor help

help:             ## this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

demo: .venv/ready ## deploy on a real kind cluster, load it, judge it, write the report (ARGS="--set spike_s=60")
	@$(T) prove spike --install --min-peak 8 $(ARGS)

test: lint tools unit integration e2e ## every test: lint and types, unit, integration, live cluster

tools: .venv/ready ## the tools that tests and deployments call (built once, then cached)
	@$(T) install test
	@[ -z "$$CI" ] || $(T) install engine
	@$(T) images build --tools $(if $(filter 0,$(shell id -u)),--install) >/dev/null

unit: .venv/ready ## tests that need nothing but Python
	@.venv/bin/pytest tests/unit tests/conformance

conformance: .venv/ready ## the autoscaler's decisions against those of the controller's own tests
	@.venv/bin/pytest tests/conformance

integration: .venv/ready ## tests against a real Redis, PostgreSQL, Chromium and container engine
	@.venv/bin/pytest --durations=15 tests/integration tests/browser

e2e: .venv/ready  ## tests on a live cluster of their own
	@.venv/bin/pytest --durations=15 tests/e2e

lint: .venv/ready ## ruff and pyright (strict)
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/pyright

format: .venv/ready ## let ruff rewrite the code
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

stubs: .venv/ready ## compile the .proto files of tidegate/nodes/wire
	@.venv/bin/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. tidegate/nodes/wire/*.proto

bench: .venv/ready ## measurements, separate from the tests
	@.venv/bin/python bench/start.py
	@.venv/bin/python bench/simulate.py

down: .venv/ready ## remove the cluster and everything that belongs to it
	@$(T) down

doctor: .venv/ready ## what this machine has and lacks
	@$(T) doctor

# Dependency-less on purpose beyond the lock: a second `make` does nothing.
.venv/ready: pyproject.toml uv.lock scripts/bootstrap
	@scripts/bootstrap
	@touch $@
