# Two commands: `make demo` and `make test`. Each makes its own environment first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test environment format static tests wheel clean

demo: environment
	$(BIN)/hnmets demo

test: static tests wheel

environment: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	$(BIN)/python -c "from hnmets.extractors.fast_radiomics.warm_up import compile_all; compile_all()"
	touch $@

format: environment
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

static: environment
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

tests: environment
	$(BIN)/pytest --numprocesses auto --dist loadfile

# The wheel must work alone: its package `cli` is easily overwritten by a foreign one.
wheel: environment
	$(BIN)/python tests/wheel_smoke.py

clean:
	rm -rf $(VENV) dist demo
