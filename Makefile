# Every target sets up what it needs; a fresh machine needs python3 (3.11 or newer), node (20 or newer), git and make.
PYTHON ?= python3
PORT ?= 8888
BROWSER ?= default
PY := .venv/bin/python
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
BUNDLE := graphrun_nb/notebook/static/widget.js
SOURCES := $(shell find js/src -type f) js/build.mjs js/package.json

.PHONY: help lab test test-python test-js test-notebooks test-browser bench soak demo dev check format screenshots generate clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

lab: dev ## Open JupyterLab on the quickstart (PORT=8888, BROWSER=none)
	$(PY) -m jupyterlab --ip=127.0.0.1 --port=$(PORT) --ServerApp.root_dir=notebooks $(AS_ROOT) \
	  $(if $(filter none,$(BROWSER)),--no-browser) --LabApp.default_url=/lab/tree/01_quickstart.ipynb

test: dev check test-python test-js test-notebooks test-browser ## Set up and run everything
	@echo "everything passed"

test-python: dev
	@.ci/postgres
	$(PY) tests/notebook/matrix.py prepare 6.31.0
	$(PY) -m pytest -n 2 --dist worksteal

test-js: js/node_modules/.ready
	cd js && npm test

test-notebooks: dev
	cd notebooks && GRAPHRUN_UNATTENDED=1 ../$(PY) -m pytest --nbval-lax -p no:cacheprovider --rootdir=. -c /dev/null 01_quickstart.ipynb 02_debug_and_go_on.ipynb 03_crash_and_resume.ipynb 04_agents.ipynb

test-browser: dev
	@.ci/chromium
	$(PY) -m pytest -n 2 --dist loadfile tests/browser

soak: dev ## The long form of the tests that have one: about an hour
	HYPOTHESIS_EXAMPLES=20000 $(PY) -m pytest --timeout=0 tests/core/test_machine.py
	GRAPHRUN_SEEDS=0-20000 $(PY) -m pytest --timeout=0 tests/engine/test_shuffled.py
	GRAPHRUN_INTERRUPTS=200 $(PY) -m pytest -s --timeout=0 tests/notebook/test_interrupts.py
	GRAPHRUN_KILL_SEEDS=100 GRAPHRUN_ANSWER_ROUNDS=50 $(PY) -m pytest -s --timeout=0 tests/stores/test_kills.py
	GRAPHRUN_ALL_STEPS=1 $(PY) -m pytest -s --timeout=0 tests/stores/test_steps.py
	GRAPHRUN_FUZZ=200000 $(PY) -m pytest --timeout=0 tests/notebook/test_fuzz_messages.py
	GRAPHRUN_PAUSES=2000 $(PY) -m pytest -s --timeout=0 tests/stores/test_pauses.py
	GRAPHRUN_CLAIMS=2000 $(PY) -m pytest --timeout=0 tests/stores/test_conformance.py

demo: dev ## Run the quickstart without a browser; print the run and draw its picture
	GRAPHRUN_UNATTENDED=1 $(PY) notebooks/demo.py

dev: .venv/.ready js/node_modules/.ready $(BUNDLE) ## Make .venv with everything, and the widget bundle

.venv/.ready: pyproject.toml js/hatch_build.py | $(BUNDLE)
	$(PYTHON) -m venv .venv
	@echo "installing what it needs into .venv, for some minutes the first time"
	$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

js/node_modules/.ready: js/package.json js/package-lock.json
	cd js && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(BUNDLE): $(SOURCES) js/node_modules/.ready
	cd js && npm run build

check: dev ## Lint, types and floors, in Python and TypeScript
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PY) js/generate.py --check
	cd js && npm run check

format: dev ## Lay out the sources
	.venv/bin/ruff format
	.venv/bin/ruff check --fix

generate: dev ## Make the generated sources and golden logs afresh
	$(PY) js/generate.py
	$(PY) tests/golden/make.py

screenshots: dev ## Make the pictures of README and docs from real runs
	@.ci/chromium
	$(PY) -m tests.browser.screenshots

bench: build/bench-venv/.ready dev ## Measure against the floor and peers; writes build/bench.md and DESIGN.md (15 min); who survives a kill: build/bench-venv/bin/python -m tests.bench.survival
	build/bench-venv/bin/python -m tests.bench
	$(PY) -m tests.bench.drawing
	@.ci/chromium
	$(PY) -m tests.bench.frames
	$(PY) -m tests.bench.pixels

build/bench-venv/.ready: pyproject.toml
	$(PYTHON) -m venv build/bench-venv
	build/bench-venv/bin/python -m pip install --quiet --disable-pip-version-check -e .[bench]
	touch $@

clean: ## Remove everything that was made
	rm -rf .venv .cache build dist js/node_modules graphrun_nb/notebook/static .mypy_cache .ruff_cache .pytest_cache
