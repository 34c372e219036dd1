# Two commands: `make run` serves the demo stream, `make test` runs every check. Both set everything up in .venv first.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
TESTS ?=

.PHONY: help setup ui run test lint types structure ui-test pytest format clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/ready ## install everything, at the pinned versions, into .venv

# torch comes first and alone, so that an index that offers its CPU build can give that one.
.venv/ready: requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Engram needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check --quiet torch==2.13.0
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps -r requirements.lock -r requirements-dev.lock
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	touch $@

ui: labeling_ui/dist/index.html ## build the labeling pages

labeling_ui/node_modules/.package-lock.json: labeling_ui/package-lock.json
	@command -v npm >/dev/null || { echo "Engram's pages need Node.js 20.19 or newer with npm to be built" >&2; exit 1; }
	cd labeling_ui && npm ci --no-audit --no-fund

labeling_ui/dist/index.html: labeling_ui/node_modules/.package-lock.json $(shell find labeling_ui/src -type f) labeling_ui/index.html labeling_ui/docs.html labeling_ui/vite.config.ts
	cd labeling_ui && npm run build
	touch $@

run: setup ui ## serve the demo stream on http://127.0.0.1:8000; ARGS="--oracle" answers by itself
	$(BIN)/engram demo $(ARGS)

test: setup ui lint types structure ui-test pytest ## run every check

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

structure:
	$(BIN)/lint-imports

ui-test:
	cd labeling_ui && npm run lint && npm run test

pytest:
	$(BIN)/python -m pytest -q --durations=15 -n 2 --dist loadfile $(TESTS)

format: setup ## put the code into its form
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

clean: ## remove what was built
	rm -rf .venv labeling_ui/node_modules labeling_ui/dist
