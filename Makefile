# Every target works from a clean clone; `make` alone lists them.
PY := .venv/bin/python
PYTEST := $(PY) -m pytest -q -n auto
PEERS := $(patsubst tools/peers/%/make,build/peers/%/.stamp,$(wildcard tools/peers/*/make))

.DEFAULT_GOAL := help
.PHONY: help setup run static check test full conformance sabotage trace docs docs-release bench peers fuzz clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: .venv/.stamp ## prepare .venv with the project and its tools

.venv/.stamp: pyproject.toml tools/setup
	@tools/setup .venv

run: setup ## start the demo
	@.venv/bin/thingstead demo

static: setup
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@PYTHONPATH=src .venv/bin/lint-imports

check: static ## format, lint, types, import contracts, unit tests
	@$(PYTEST) tests/unit tests/meta -m "not slow"

test: static peers ## what CI runs: check, properties, contracts, scenarios, conformance, sabotage, docs, trace
	@mkdir -p build
	@$(PYTEST) --trace-file=build/trace.json
	@$(MAKE) --no-print-directory conformance
	@$(PY) -m tests.sabotage --passed build/trace.json
	@$(MAKE) --no-print-directory docs

full: test ## test, then the long kill and fuzz runs and every peer
	@$(PYTEST) --full -m full --timeout 3600 || [ $$? -eq 5 ]  # 5: nothing is marked full

conformance: setup ## run the shared vectors, if they are beside the project
	@if [ -d ../shared/vectors ]; then $(PY) -m tests.conformance ../shared/vectors; \
	 elif [ "$$CI" = true ]; then echo "ABSENT: ../shared/vectors (CI needs it)"; exit 1; \
	 else echo "ABSENT: ../shared/vectors; the project's own vectors ran with the tests"; fi

sabotage: setup ## remove each claimed control and see a test go red
	@$(PY) -m tests.sabotage

trace: setup ## run the tests and write build/trace.json: requirement and clause -> tests and outcomes
	@mkdir -p build
	@$(PYTEST) --trace-file=build/trace.json

docs: setup ## write build/docs/standards.md and requirements.md from the markers and the last trace
	@$(PY) -m tests.traceability build/docs
	@$(PY) -m tests.docs.pages build/docs

docs-release: trace ## write the same pages into docs/, by hand before a release
	@$(PY) -m tests.traceability docs
	@$(PY) -m tests.docs.pages docs
	@$(PY) -m tests.scenarios.threats.stolen SECURITY.md

bench: setup peers ## print the figures and write build/bench.json
	@$(PY) -m bench

peers: setup $(PEERS) ## the unmodified peers of tools/peers, in build/peers

build/peers/%/.stamp: tools/peers/prepare tools/peers/%/*
	@tools/peers/prepare $* build/peers/$*

fuzz: build/fuzz/venv/.stamp ## fuzz what takes bytes from the network; FUZZ="--seconds 60" says how long for each
	@$(PY) -m tests.fuzz $(FUZZ)

build/fuzz/venv/.stamp: .venv/.stamp tools/fuzz/make
	@tools/fuzz/make build/fuzz/venv
	@touch $@

clean: ## remove everything that the targets made
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
