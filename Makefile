# Everything a person types. Each target is one line of the `tidegate` command or of a common tool.
SHELL := /bin/sh
T := .venv/bin/tidegate

.PHONY: demo test tools unit conformance integration acceptance e2e differential lint format stubs bench down doctor help

help:             ## this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

demo: .venv/ready ## deploy on a real kind cluster, load it, judge it, write the report (ARGS="--set spike_s=60")
	@$(T) prove spike --install --min-peak 8 $(ARGS)

test: lint tools  ## every test: lint and types, unit and integration side by side, live cluster
	@$(MAKE) --no-print-directory -j2 unit integration
	@$(MAKE) --no-print-directory e2e

tools: .venv/ready ## the tools that tests and deployments call (built once, then cached)
	@$(T) install test
	@[ -z "$$CI" ] || $(T) install engine
	@$(T) images build --tools $(if $(filter 0,$(shell id -u)),--install) >/dev/null
	@$(T) images build --tools promtool kubeconform kube-score pod-security >/dev/null

unit: .venv/ready ## tests that need nothing but Python
	@.venv/bin/pytest tests/unit tests/conformance

conformance: .venv/ready ## the autoscaler's decisions against those of the controller's own tests
	@.venv/bin/pytest tests/conformance

integration: .venv/ready ## tests against a real Redis, PostgreSQL, Chromium and container engine
	@.venv/bin/pytest --durations=15 tests/integration tests/differential tests/browser

differential: .venv/ready ## 10,000 syncs of random histories decided by the real controller and by ours
	@TIDEGATE_DIFFERENTIAL_SYNCS=$${TIDEGATE_DIFFERENTIAL_SYNCS:-10000} .venv/bin/pytest -s tests/differential

acceptance: .venv/ready ## the service's promises in full, for an hour or more; figures in results/acceptance.json
	@.venv/bin/pytest --dose=full --figures=results/acceptance.json --durations=0 -m acceptance tests/integration/app tests/unit/app/core

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

bench: .venv/ready ## measurements, separate from the tests; what is kept is not measured again (ARGS="--again")
	@$$(cat .venv/uv-path) sync --frozen --quiet --group bench
	@.venv/bin/python -m bench $(ARGS); status=$$?; .venv/bin/python bench/load_record.py; .venv/bin/python -m bench report && exit $$status

down: .venv/ready ## remove the cluster and everything that belongs to it
	@$(T) down

doctor: .venv/ready ## what this machine has and lacks
	@$(T) doctor

# Dependency-less on purpose beyond the lock: a second `make` does nothing.
.venv/ready: pyproject.toml uv.lock scripts/bootstrap
	@scripts/bootstrap
	@touch $@
