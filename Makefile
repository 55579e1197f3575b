# Two commands do it all on a fresh machine: `make demo` shows the service, `make test` checks it.

VENV := .venv
PYTHON := python3
BIN := $(VENV)/bin
CODE := domain application adapters projections tests benchmarks hatch_build.py
PAGE := adapters/page
NPM := $(BIN)/python hatch_build.py
# Two processes for each core, since half of the time a test waits for something, and six at most: each has a
# PostgreSQL of its own. Files in their order: those that take long come first.
PROCESSES := $(shell $(PYTHON) -c "import os; print(min(6, 2 * os.cpu_count()))")
IN_PARALLEL := --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder --durations 20

# Whatever the environment says: compiled modules are kept, or each process that starts compiles all of them anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo serve test test-page chaos screenshots lint lint-types lint-page lint-style format bench audit docs lock clean

$(BIN)/uv: requirements/installer.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/installer.txt
	touch $@

$(VENV)/runtime: $(BIN)/uv requirements/runtime.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements/runtime.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/dev: $(VENV)/runtime requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements/dev.txt
	touch $@

$(PAGE)/node_modules: $(PAGE)/package-lock.json | $(VENV)/runtime
	$(NPM) ci --no-progress
	touch $@

$(PAGE)/dist: $(PAGE)/node_modules $(PAGE)/index.html $(PAGE)/vite.config.ts $(shell find $(PAGE)/src -type f)
	$(NPM) run --silent build -- --logLevel warn
	touch $@

install: $(VENV)/runtime $(PAGE)/dist

demo: install  ## A CertiNext estate with ninety days of history, live, on http://127.0.0.1:8080
	$(BIN)/certinext-audit demo

serve: install
	$(BIN)/certinext-audit serve

test:  ## All checks and all tests
	$(MAKE) --jobs 2 lint test-page
	$(BIN)/python -m pytest $(IN_PARALLEL)

test-page: $(PAGE)/dist
	$(NPM) run --silent test

chaos: $(VENV)/dev $(PAGE)/dist  ## Kill everything, again and again, under load: minutes
	CHAOS_ROUNDS=20 $(BIN)/python -m pytest --timeout 3600 tests/chaos
	PAGE_LOAD_SECONDS=120 $(BIN)/python -m pytest tests/browser/test_under_load.py

screenshots: $(VENV)/dev $(PAGE)/dist  ## Every view of the page in both themes, into screenshots/
	$(BIN)/python -m pytest tests/browser/screenshots.py

# The longest first, for whoever makes them with several jobs.
lint: lint-types lint-page lint-style

lint-types: $(VENV)/dev
	$(BIN)/mypy

lint-page: $(PAGE)/node_modules
	$(NPM) run --silent check

lint-style: $(VENV)/dev
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/lint-imports

format: $(VENV)/dev
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

bench: $(VENV)/dev  ## Figures as ratios, printed
	$(BIN)/python -m benchmarks

AUDIT := benchmarks/lighthouse

$(AUDIT)/node_modules: $(AUDIT)/package-lock.json | $(VENV)/runtime
	$(NPM) --prefix $(CURDIR)/$(AUDIT) ci --no-progress
	touch $@

audit: $(VENV)/dev $(PAGE)/dist $(AUDIT)/node_modules  ## The page's figures, with Lighthouse's
	$(BIN)/python -m benchmarks page

docs: install
	$(BIN)/python -m adapters.documents.catalogue > docs/catalogue.md
	$(BIN)/python -m adapters.documents.findings > docs/findings.md
	$(BIN)/python -m adapters.exports.for_the_page > $(PAGE)/src/verify/columns.json

lock: $(VENV)/dev
	echo uv | $(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11 --universal --output-file requirements/installer.txt -
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11 --universal --extra build --output-file requirements/runtime.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11 --universal --extra build --extra dev --output-file requirements/dev.txt pyproject.toml

clean:
	rm -rf $(VENV) $(PAGE)/node_modules $(PAGE)/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
