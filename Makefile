# Everything by one word. `make` alone says what there is.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help install benchmark ablation bench-check sweep live limits env test test-compose check audit lab example constraints clean

help:  ## this list
	@echo "SentinelStream Lab. Parameters go behind a target: make benchmark WORKERS=128 DURATION=120s"
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 16

install: $(READY)  ## make .venv with the pinned dependencies

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, but $(PYTHON) is $$($(PYTHON) -V 2>&1): make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }
	@echo "Setting up $(VENV) (once, about a minute)…"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[lab,dev]'
	@touch $@

# What make was given on its command line, quoted for the shell: parameters of the notebook, and nothing of make's own.
PARAMETERS = $(filter-out PYTHON=% VENV=%,$(MAKEOVERRIDES))

benchmark: $(READY)  ## measure, and write runs/<id>/report.html
	@$(BIN)/sentinel run benchmark $(PARAMETERS)

ablation: $(READY)  ## what each choice behind `optimised` brings, switched on and off again
	@$(BIN)/sentinel run ablation $(PARAMETERS)

sweep: $(READY)  ## the highest rate that holds the SLO: a rising load, with its report
	@$(BIN)/sentinel run sweep $(PARAMETERS)

live: $(READY)  ## watch this host and the pipeline for SECONDS=30, and keep the last window as a page
	@$(BIN)/sentinel run live $(PARAMETERS)

limits: $(READY)  ## measure what Redis alone and the store alone can do here: make limits STACK=native
	$(if $(filter-out STACK=%,$(PARAMETERS)),$(error make limits takes STACK=…; more options: sentinel limits --help))
	@$(BIN)/sentinel limits --stack '$(or $(STACK),auto)'

bench-check: $(READY)  ## a minute's comparison; fails where a committed bound (sentinel/lab/gate.toml) is broken
	$(if $(PARAMETERS),$(error make bench-check takes no parameters: they are pinned in sentinel/lab/gate.toml))
	@$(BIN)/sentinel bench-check

env:  ## write .env, the passwords for docker-compose.yml; one that is there stays
	@sh docker/make-env

# Most of the suite waits for processes: two at a time, each file in one of them, take three fifths of the time.
test: $(READY)  ## run the tests
	@$(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(if $(CI),--durations=10)

test-compose: $(READY)  ## prove docker-compose.yml on the Docker engine that answers; some minutes
	@$(BIN)/pytest -q -s -m compose tests/compose

check: $(READY)  ## lint and type-check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: $(BIN)/ruff format ." >&2; exit 1; }
	@$(BIN)/mypy

audit: $(READY)  ## look the pinned packages up among known vulnerabilities (needs the network)
	@$(BIN)/python .ci/audit.py

lab: $(READY)  ## open the notebooks in JupyterLab
	@$(BIN)/jupyter lab notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

example: $(READY)  ## make a run the one that the README shows, or a live one its picture: make example RUN=<id>
	@$(BIN)/python -m sentinel.lab.example $(RUN)

constraints: $(READY)  ## pin the newest allowed versions anew
	@$(BIN)/uv pip compile --quiet --upgrade pyproject.toml --all-extras --universal --python-version 3.11 \
		--no-header --no-annotate -o constraints.txt

clean:  ## remove the environment and caches; runs and profiles stay
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +
