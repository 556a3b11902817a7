# make run     serve the app on http://localhost:8501 (PORT= changes it)
# make test    all tests; make check: lint, types, boundaries, SQL, coverage; make bench: speed and memory
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8501
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: run test check lint coverage bench demo clean

run: $(VENV)/.installed
	PORT=$(PORT) $(BIN)/samplads serve

$(VENV)/.installed: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

$(VENV)/.developing: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

test: $(VENV)/.developing
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --max-worker-restart 0 tests/unit tests/queries tests/pages
	$(BIN)/python -m pytest tests/browser

check: lint coverage

lint: $(VENV)/.developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 queries

coverage: $(VENV)/.developing
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup --max-worker-restart 0 --cov --cov-report=term --cov-report=xml tests/unit tests/queries

bench: $(VENV)/.developing
	$(BIN)/python -m benches

demo: $(VENV)/.installed
	$(BIN)/samplads demo --out data/demo --scale small --as-of 2026-11-01

clean:
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
