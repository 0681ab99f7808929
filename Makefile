# Everything a person or CI calls. Needs Python 3.11 and make, nothing else.
PYTHON ?= python3.11
BIN = .venv/bin

.PHONY: run test check format bench e2e docs lock catalogues language clean

run: .venv/service.stamp
	$(BIN)/python app.py

test: .venv/tests.stamp
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: .venv/tests.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --lint templates
	$(BIN)/python -m tests.support.catalogues check
	$(BIN)/deptry .
	$(BIN)/vulture

format: .venv/tests.stamp
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .
	$(BIN)/djlint --quiet --reformat templates || true

e2e: .venv/tests.stamp
	PREFERENCES_TEST_PICTURES=all $(BIN)/python -m pytest -m browser

bench: .venv/tests.stamp
	$(BIN)/python -m bench

docs: .venv/tests.stamp
	$(BIN)/python -m pytest tests/guards tests/docs

catalogues: .venv/tests.stamp
	$(BIN)/python -m tests.support.catalogues update $(FOLDER)

# make language ADD=fi, or with FOLDER=/etc/preferences/translations outside the project
language: .venv/tests.stamp
	$(BIN)/python -m tests.support.catalogues add $(ADD) $(FOLDER)

lock: .venv/tests.stamp
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements.txt requirements.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements-dev.txt requirements-dev.in

clean:
	rm -rf .venv .hypothesis .mypy_cache .ruff_cache .import_linter_cache

.venv/pip.stamp:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: $(PYTHON) was not found. Name yours with make PYTHON=…"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/service.stamp: .venv/pip.stamp requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/tests.stamp: .venv/service.stamp requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
