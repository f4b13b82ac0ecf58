# Each target installs what it needs and is missing: Python packages into .venv, npm packages into web/node_modules,
# Debian's Chromium for the browser tests. Needed beforehand: Python 3.11, Node 20, make (and apt for Chromium).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3.11
BIN := .venv/bin
STAMPS := .make
ARGS ?=
export PIP_ROOT_USER_ACTION := ignore
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_PYTHON_DOWNLOADS := never
export npm_config_audit := false
export npm_config_fund := false
export npm_config_update_notifier := false

.PHONY: help demo test nightly lint wheel web python chromium consumers lock format clean

help: ## what there is
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | sort | expand -t 12

demo: $(STAMPS)/python $(STAMPS)/web ## the whole way on real images, through the public API; ARGS=--exit ends with it
	@$(BIN)/cupola demo $(ARGS)

test: $(STAMPS)/python $(STAMPS)/web chromium consumers ## every check and test, the demo and the browser tests; what CI runs
	@tools/test.sh

nightly: $(STAMPS)/python ## 60 kills of server, worker and Postgres under load; CI makes 20
	@CUPOLA_TEST_KILLS=60 $(BIN)/pytest -s -q tests/stories/test_kill.py --timeout 3600

lint: $(STAMPS)/python $(STAMPS)/npm ## the checks that run nothing: style, types, layers
	@tools/test.sh ruff pyrefly layers biome

wheel: $(STAMPS)/python $(STAMPS)/web ## dist/cupola-….whl with the browser app inside
	@rm -rf dist
	@$(BIN)/python -m hatchling build -t wheel
	@$(BIN)/python tools/check_wheel.py dist/*.whl

web: $(STAMPS)/web ## the browser app, into src/cupola/web/dist

python: $(STAMPS)/python ## .venv with everything locked

format: $(STAMPS)/python $(STAMPS)/npm ## put the code into its agreed form
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format -q .
	@cd web && npm run --silent format

lock: $(STAMPS)/uv ## resolve the Python dependencies anew
	@tools/lock.sh

clean: ## take away what was built (not .venv, node_modules, nor any data)
	@rm -rf dist build src/cupola/web/dist web/dist $(STAMPS)/web tests/artifacts

chromium: ## Debian's Chromium, for the browser tests
	@tools/chromium.sh

consumers: $(STAMPS)/uv ## the programs that exports are for, in a venv of their own; tests/consumers runs them
	@tools/consumers.sh $(PYTHON)

# --- what is installed; a stamp is newer than what it was made from

$(STAMPS)/uv: requirements-uv.lock tools/uv.sh
	@tools/uv.sh $(PYTHON)
	@touch $@

$(STAMPS)/python: requirements-dev.lock pyproject.toml $(STAMPS)/uv
	@echo "Installing the Python packages into .venv"
	@[ -x $(BIN)/python ] || $$(cat $(STAMPS)/uv-path) venv --quiet --python $(PYTHON) .venv
	@$$(cat $(STAMPS)/uv-path) pip install --quiet --require-hashes --python $(BIN)/python -r requirements-dev.lock
	@$$(cat $(STAMPS)/uv-path) pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python -e .
	@touch $@

$(STAMPS)/npm: web/package-lock.json
	@mkdir -p $(STAMPS)
	@echo "Installing the npm packages into web/node_modules"
	@cd web && npm ci --loglevel=error
	@touch $@

WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' -not -path 'web/e2e/*' \
	-not -name '*.tsbuildinfo' 2>/dev/null | sed 's/ /\\ /g')

$(STAMPS)/web: $(STAMPS)/npm $(WEB_SOURCES)
	@echo "Building the browser app"
	@cd web && npm run --silent build
	@rm -rf src/cupola/web/dist.new && mkdir -p src/cupola/web && cp -r web/dist src/cupola/web/dist.new
	@rm -rf src/cupola/web/dist && mv src/cupola/web/dist.new src/cupola/web/dist
	@touch $@
