# Two commands on a fresh machine: `make run` and `make test`. Both set up .venv first, and only when something changed:
# `make run` with what users need, `make test` with pytest, ruff and mypy as well, `make docs` with Sphinx.
# With another Python: make run PYTHON=python3.13. The environment is made anew when its Python is another one.
PYTHON  ?= python3
VENV    ?= .venv
BIN     := $(VENV)/bin
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
# What is installed, each with a file that says when: for users, for developers, for the pages, for a release.
READY   := $(VENV)/ready-$(VERSION)
DEV     := $(VENV)/dev-$(VERSION)
DOCS    := $(VENV)/docs-$(VERSION)
RELEASE := $(VENV)/release-$(VERSION)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable
KNOWN   := convert train export cluster fit interactive
COMMA   := ,
# Test workers: one a core.
JOBS   ?= auto
# What a module makes for its tests is made once: they go to one worker. The slowest tests are printed.
TESTING := -n $(JOBS) --dist loadgroup --durations=10

# Bytecode is kept, whatever the user's environment says: else each worker, and each command that a test runs in a process
# of its own, would compile the library and all tests anew.
test test-all smoke: export PYTHONDONTWRITEBYTECODE :=
# As there is a worker a core, threads of NumPy's and scikit-learn's own would wait for each other, and be busy with it.
test test-all smoke: export OPENBLAS_NUM_THREADS ?= 1
test test-all smoke: export OMP_NUM_THREADS ?= 1

# What tells whether C++ programs work at all with a Python and its Brian2: synapses, projections, learning, conversion.
SMOKE  := $(addprefix tests/test_,doctor.py engine.py projection.py learning.py training.py conversion_run.py)

.PHONY: run test test-all smoke lint format setup benchmark fuzz notebooks extras docs dist clean

run: $(READY)  ## Learn handwritten digits without labels, and say where the report lies
	$(BIN)/biosnn run unsupervised

test: lint  ## Lint, type-check and test (all but the slow tests); built programs are kept in .cache
	$(BIN)/python -m pytest -m "not slow" $(TESTING)

test-all: lint  ## The slow tests too, and more examples of the others
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest $(TESTING)

smoke: run $(DEV)  ## Run the main job and the tests that show whether C++ programs work (for a further Python)
	$(BIN)/python -m pytest -m "cpp and not slow" $(TESTING) $(SMOKE)

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tests/mypy_studies.py

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: $(READY)  ## What is timed, against what (minutes)
	$(BIN)/python benchmarks/build.py
	$(BIN)/python benchmarks/neurons.py
	$(BIN)/python benchmarks/projections.py
	$(BIN)/python benchmarks/background.py

fuzz: $(DEV)  ## Read 1,000 mangled files and 1,000 mangled models (minutes)
	$(BIN)/python tests/fuzz/run.py --files 1000 --models 1000 --seed 1

notebooks: $(DEV)  ## The tutorials as notebooks with their output, in build/notebooks
	$(BIN)/python docs/notebooks.py

docs: $(DOCS)  ## The pages of this documentation, with every link checked: build/docs/html/index.html
	$(BIN)/python docs/site/build.py build/docs

dist: $(RELEASE)  ## A wheel and an archive of the sources in dist/, checked as an index would check them
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/twine check --strict dist/*
	$(BIN)/cffconvert --validate

setup: $(READY)

extras: $(READY)  ## What some guides need in addition: make extras EXTRAS=export,fit
	@test -n "$(EXTRAS)" -a -z "$(filter-out $(KNOWN),$(subst $(COMMA), ,$(EXTRAS)))" || \
	  { echo "EXTRAS: expected some of $(KNOWN), with commas (got '$(EXTRAS)'). make extras EXTRAS=export,fit"; exit 1; }
	$(INSTALL) '.[$(EXTRAS)]'

$(READY): pyproject.toml constraints.txt
	@test -n "$(VERSION)" || \
	  { echo "$(PYTHON) does not run; say which Python with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "biosnn needs Python 3.11 or newer; say which with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python$(VERSION) || $(PYTHON) -m venv --clear $(VENV)
	$(INSTALL) '.[convert]'
	@touch $@

$(DEV): $(READY)
	$(INSTALL) '.[dev]'
	@touch $@

$(DOCS): $(READY)
	$(INSTALL) '.[docs]'
	@touch $@

$(RELEASE): $(READY)
	$(INSTALL) '.[release]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .cache build dist
