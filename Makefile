# Every chore has one entry here; `make` alone lists them.
PYTHON ?= python3
PORT ?= 8000
# Many tests wait for processes to die or start, so one more than there are cores.
JOBS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run worker test test-pg check quality fmt lint types imports drift migration migrate seed demo smoke bench openapi lock clean

help: ## List the chores
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## Create .venv with the locked dependencies and the `medici` command

$(STAMP): requirements-dev.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-setup.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-setup.lock requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

run: setup ## Start everything: demo data, one real render, then the server (PORT=8000)
	@$(BIN)/medici seed demo
	@$(BIN)/medici demo
	@$(BIN)/medici serve --port $(PORT)

worker: setup ## Do background work in a process of its own (servers: MEDICI_RUNNER=external)
	@$(BIN)/medici worker

test: setup ## Run the whole suite on SQLite and PostgreSQL, in parallel
	@$(BIN)/pytest -n $(JOBS) --dist worksteal -q

test-pg: setup ## Run what touches a database on PostgreSQL alone
	@$(BIN)/pytest -n $(JOBS) --dist worksteal -q -k postgresql

check: lint types imports drift ## Everything but the tests: format, lint, types, imports, drift

quality: check ## The same, by its other name

fmt: setup ## Format the code and mend what can be mended
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

lint: setup ## Check format and lint
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check

types: setup ## Check types, strictly
	@$(BIN)/mypy

imports: setup ## Check that imports point down the house
	@$(BIN)/lint-imports --no-logo

drift: setup ## Check that schema, API description and .env.example are in step with the code
	@$(BIN)/pytest -q tests/migrations tests/test_env_example.py
	@$(BIN)/medici openapi --check docs/openapi.json

migration: setup ## Write a revision from what the models have changed (m="add a table")
	@test -n "$(m)" || { echo 'say what it does: make migration m="add a table"'; exit 2; }
	@$(BIN)/medici migration "$(m)"
	@$(BIN)/ruff format --quiet src/medici/migrations/versions

migrate: setup ## Bring the database to the newest revision
	@$(BIN)/medici migrate

seed: setup ## Migrate, and fill in plans, styles, variables and provider settings
	@$(BIN)/medici seed

demo: setup ## Render the sample photo and print where the picture lies
	@$(BIN)/medici demo

smoke: setup ## Go through the API of the server that runs on PORT
	@$(BIN)/python scripts/smoke_api_flow.py --base-url http://127.0.0.1:$(PORT)

bench: setup ## Measure speed and size beside the limit of this machine (minutes)
	@$(BIN)/python -m bench

openapi: setup ## Write docs/openapi.json
	@$(BIN)/medici openapi --out docs/openapi.json

lock: setup ## Lock the newest dependencies that pyproject.toml allows
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --python-version 3.11 pyproject.toml --extra sentry --group dev \
		-o requirements-dev.lock

clean: ## Remove .venv and caches; data and databases stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
