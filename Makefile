# demo: a living cluster in the browser.  test, check: what a change must pass.  bench: beside Flower 2.2.0.
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3.14 python3.10 python3))
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check format bench fuzz screenshots matrix vendor audit dist clean
.DEFAULT_GOAL := test

$(BIN)/python:
	@$(PYTHON) -c 'import ensurepip' || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# One stamp for each set of packages, so that the demo does not wait for browsers and linters.
$(VENV)/.demo: setup.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: setup.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	@exec $(BIN)/python examples/demo/run.py $(ARGS)

test: $(VENV)/.dev
	tests/services.sh
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/codespell

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.compare $(ARGS)
	$(BIN)/python -m benchmarks.stages
	$(BIN)/python -m benchmarks.scrape --released
	$(BIN)/python -m benchmarks.tabs
	$(BIN)/python -m benchmarks.queries
	$(BIN)/python -m benchmarks.pages

# Random input for everything that reads input; ARGS="--minutes 60 decoder", ARGS=--atheris with that package.
fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz $(ARGS)

screenshots: $(VENV)/.dev
	tests/services.sh
	$(BIN)/python -m scripts.screenshots $(ARGS)

# Many versions of Python and Celery; in parts: make matrix ARGS="3.11/5.2 3.13".
matrix:
	$(PYTHON) scripts/matrix.py $(ARGS)

# A new version: write it into package.json. The registry's address stays out of the lock.
vendor:
	npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
	$(PYTHON) scripts/vendor.py

# Known faults in what Flower needs and ships; it needs the network, and says so where that is missing.
audit: $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit || true
	@$(BIN)/python scripts/audit.py

dist: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check build
	$(BIN)/python -m build

clean:
	rm -rf build dist .matrix *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
