# Two commands on a fresh machine: `make run` and `make test`. Both set up .venv first, and only when something changed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready
# Test workers: one a core.
JOBS   ?= auto

.PHONY: run test test-all lint format setup benchmark clean

run: $(READY)  ## Learn handwritten digits without labels, and say where the report lies
	$(BIN)/biosnn run unsupervised

test: lint  ## Lint, type-check and test (all but the slow tests)
	$(BIN)/python -m pytest -m "not slow" -n $(JOBS) --dist worksteal

test-all: lint  ## The slow tests too
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: $(READY)  ## What is timed, against what (minutes)
	$(BIN)/python benchmarks/build.py
	$(BIN)/python benchmarks/neurons.py
	$(BIN)/python benchmarks/projections.py

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "biosnn needs Python 3.11 or newer; say which with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,convert]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
