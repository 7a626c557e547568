# Everything a newcomer types. Set-up happens by itself and only when the lock file changed.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PORT ?= 3000
UV := $(shell command -v uv 2>/dev/null)
RUN_ARGS := $(if $(REGISTRY),--registry "$(REGISTRY)") $(if $(COHORTS),--cohorts "$(COHORTS)") $(if $(FORCE),--force)

.PHONY: help setup run test test-long ui bench report docs lint clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(STAMP) ## make .venv from requirements.lock (done by the others when needed)

$(STAMP): requirements.lock pyproject.toml
	@started=$$SECONDS; echo "Setting up .venv from requirements.lock (some 10 s with uv, 1 to 3 min with pip) …"; \
	if [ -n "$(UV)" ]; then \
	  uv venv --quiet --allow-existing --python 3.11 $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi && touch $(STAMP) && echo "Set-up took $$((SECONDS - started)) s."

run: $(STAMP) ## pull, load, build, check, publish (REGISTRY=live|path, COHORTS=path, FORCE=1)
	@$(BIN)/remit run $(RUN_ARGS)

test: $(STAMP) ## lint, unit, dbt unit and end-to-end tests
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/python -m pytest

test-long: $(STAMP) ## the slow harnesses: kills, readers under load, peers
	@$(BIN)/python -m pytest -m long

ui: $(STAMP) ## Dagster's page and daemon on 127.0.0.1 (PORT=3000)
	@$(BIN)/remit ui --port $(PORT)

bench: $(STAMP) ## benchmarks as ratios measured in one run
	@$(BIN)/python -m benchmarks

report: $(STAMP) ## where the current release's report is
	@$(BIN)/remit report

docs: $(STAMP) ## dbt docs and the data dictionary as static pages
	@$(BIN)/remit docs

clean: ## remove .venv and caches (data/ stays)
	@rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis dbt_project/target dbt_project/logs *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Removed .venv and caches; data/ is untouched."
