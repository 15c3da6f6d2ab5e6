# Commands: `make run`, `make test`, `make check`, `make docs`, `make reference`. Each sets up what it needs; offline after the first time.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: run test check docs reference setup clean dist sbom

run: setup
	@sh deploy/setup.sh servers
	$(BIN)/tatpar up --lab

test: setup
	@sh deploy/setup.sh servers must
	@sh deploy/setup.sh databases
	@sh deploy/setup.sh browser
	@sh deploy/setup.sh wheelhouse
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

dist: setup
	$(BIN)/python -m hatchling build -d build/dist

sbom: setup
	$(BIN)/python -m deploy.licences sbom --out build/sbom.cdx.json

docs: setup
	$(BIN)/sphinx-build --fail-on-warning --keep-going --nitpicky --quiet -j auto -b html -c docs . build/docs
	@echo "build/docs/index.html"

reference: setup
	$(BIN)/python -m docs._reference

setup: $(VENV)/.ready
$(VENV)/.ready: requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" sh deploy/setup.sh venv

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
