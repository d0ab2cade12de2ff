# Every entry point of the project. `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VECTORS ?= ../shared/vectors
KILLS ?= 20
SEED ?= 1
SEEDS ?= 2000

.DEFAULT_GOAL := help

help: ## list the entries
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Hermes needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

install: $(VENV)/.ready ## make the virtual environment from the lock file

demo: install ## run the main job on a fresh stack and show what happened
	@$(BIN)/hermes demo

up: install ## run everything on this machine until Ctrl-C
	@$(BIN)/hermes up

test: install ## run the tests: unit, contract, sim, integration
	$(BIN)/python -m pytest

lint: install ## ruff, mypy --strict, import rules, house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: install ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install ## measure the whole path, its parts and its limits
	@$(BIN)/hermes bench

crash: install ## kill everything at random under load, and check every promise (KILLS=20 SEED=1)
	@$(BIN)/hermes crash --kills $(KILLS) --seed $(SEED)

sim: install ## the pipeline in virtual time with faults, by seed (SEEDS=2000)
	@$(BIN)/hermes sim --seeds $(SEEDS)

fuzz: install ## a minute of hostile input for every parser
	@$(BIN)/hermes fuzz

interop: install ## clients and servers that are not ours, over the wire
	$(BIN)/python -m pytest -q tests/integration/test_real_peers.py tests/integration/test_smpp_server_clients.py

topology: install ## check and draw the topology
	@$(BIN)/hermes topology check
	@$(BIN)/hermes topology draw

conformance: install ## run the wire code over a folder of test vectors (VECTORS=…)
	@$(BIN)/hermes conformance $(VECTORS)

lock: ## rewrite requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements.lock

clean: ## remove what the product wrote here (state, caches), keep the environment
	rm -rf .hermes .ruff_cache .mypy_cache .hypothesis

.PHONY: help install demo up test lint format bench crash sim fuzz interop topology conformance lock clean
