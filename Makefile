# Everything by one word. `make` alone says what there is.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV ?= .venv

# A text as one word of the shell, whatever it holds.
override as-word = '$(subst ','\'',$(1))'
override bin = $(call as-word,$(value VENV))/bin

# The names that make was given a value for on its command line.
override name-of = $(firstword $(subst =, ,$(subst :=,=,$(1))))
override if-given = $(if $(findstring command line,$(origin $(1))),$(1))
override given-names := $(sort $(foreach word,$(MAKEOVERRIDES),$(call if-given,$(call name-of,$(word)))))
override define line-break


endef
$(foreach name,$(given-names),$(if $(findstring $(line-break),$(value $(name))),\
	$(error $(name) holds a line break: give it in one line)))
# Each value stays as it was given: make neither expands a `$` in it for a recipe nor for a program's environment.
$(foreach name,$(given-names),$(eval override $(name) := $$(value $(name)))$(eval export $(name)))

# Parameters of the notebook, and nothing of make's own.
override parameter-names := $(filter-out PYTHON VENV,$(given-names))
override parameter-words = $(foreach name,$(parameter-names),$(call as-word,$(name)=$(value $(name))))

notebooks := $(basename $(notdir $(wildcard notebooks/*.ipynb)))

.PHONY: help install $(notebooks) bench-check limits env test fuzz test-compose check audit lab example schema constraints clean

help:  ## this list
	@echo "SentinelStream Lab. Parameters go behind a target: make benchmark WORKERS=128 DURATION=120s"
	@for name in $(notebooks); do \
		sed -n "s/^ *\"# \(.*\)\\\\n\",*\$$/  $$name\t\1/p; s/^ *\"# \(.*\)\"\$$/  $$name\t\1/p" notebooks/$$name.ipynb | head -n 1; done | expand -t 16
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 16

install:  ## make .venv with the pinned dependencies: make install PYTHON=python3.12
	@sh ./install.sh $(call as-word,$(value VENV)) $(call as-word,$(value PYTHON))

# One target for each notebook: a new one needs no line here.
$(notebooks): install
	@$(bin)/sentinel run $@ $(parameter-words)

limits: install  ## measure what Redis alone and the store alone can do here: make limits STACK=native
	$(if $(filter-out STACK,$(parameter-names)),$(error make limits takes STACK=…; more options: sentinel limits --help))
	@$(bin)/sentinel limits --stack $(call as-word,$(or $(value STACK),auto))

bench-check: install  ## two minutes' comparison; fails where a committed budget (sentinel/lab/experiments/bench_check/gate.toml) is broken
	$(if $(parameter-names),$(error make bench-check takes no parameters: they are pinned in sentinel/lab/experiments/bench_check/gate.toml))
	@$(bin)/sentinel bench-check

env:  ## write .env, the passwords for docker-compose.yml; one that is there stays
	@sh docker/make-env

# Most of the suite waits for processes: on two cores three at a time, each file in one of them, take half the time.
# Each of those processes imports the package: compiled once for all, even where the environment says otherwise.
test: install  ## run the tests
	@PYTHONDONTWRITEBYTECODE= $(bin)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder $(if $(CI),--durations=10)

fuzz: install  ## a million odd messages through every configuration, on both transports; about 4 minutes
	@$(bin)/pytest -q -s -m fuzz tests/test_fuzz.py

test-compose: install  ## prove docker-compose.yml on the Docker engine that answers; some minutes
	@$(bin)/pytest -q -s -m compose tests/compose

check: install  ## lint and type-check
	@$(bin)/ruff check .
	@$(bin)/ruff format --check --quiet . || { echo "not formatted:" $(bin)/ruff format . >&2; exit 1; }
	@$(bin)/mypy

audit: install  ## look the pinned packages up among known vulnerabilities (needs the network)
	@$(bin)/python .ci/audit.py

lab: install  ## open the notebooks in JupyterLab
	@$(bin)/python -m sentinel.lab.notebook.jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root)

example: install  ## make a run the one that the README shows, or a live one its picture: make example RUN=<id>
	@$(bin)/python -m sentinel.lab.readme_example $(if $(value RUN),$(call as-word,$(value RUN)))

schema: install  ## write docs/run.schema.json anew: every key of a run's record with its unit
	@$(bin)/python -m sentinel.lab.run.schema

constraints: install  ## pin the newest allowed versions anew
	@$(bin)/uv pip compile --quiet --upgrade pyproject.toml --all-extras --universal --python-version 3.11 \
		--no-header --no-annotate -o constraints.txt

clean:  ## remove the environment and caches; runs and profiles stay
	@rm -rf -- $(call as-word,$(value VENV)) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +
