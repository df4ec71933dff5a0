PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet

.DEFAULT_GOAL := help
.PHONY: help install study test lint server service mlproject docs bench

help: ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: .venv/installed ## Make .venv and install the project with its test tools

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) --editable '.[test,bench]'
	touch $@

study: install ## Run the whole study on the bundled digits; prints verdicts, run link and report
	PATH="$(CURDIR)/$(BIN):$$PATH" mlflow run . --env-manager local

test: install ## Pass the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: install ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

server: install ## Show the runs of this folder at http://127.0.0.1:5000
	@echo "http://127.0.0.1:5000/#/experiments?workflowType=machine_learning"
	@echo "export MLFLOW_TRACKING_URI=http://127.0.0.1:5000    # in the shell where steps are typed"
	MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false $(BIN)/mlflow server --backend-store-uri sqlite:///mlflow.db --workers 1

service: install ## Run PostgreSQL, a store of artifacts and the server with logins in ./service, without containers; without `weed`, artifacts in memory
	docker/secrets.sh
	PATH="$(CURDIR)/$(BIN):$$PATH" docker/native.sh service

mlproject: install ## Write MLproject anew from the options of the entry points
	$(BIN)/python -m entry_points.mlproject > MLproject

docs: install ## Write docs/signals.md anew from the registry of signals
	$(BIN)/python -m entry_points.signals_page > docs/signals.md

bench: install ## Measure what the README says of speed and size; one table, also as bench.json
	$(BIN)/python -m benchmarks
