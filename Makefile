# Everything a newcomer needs: `make serve` and `make test` set themselves up in .venv from the hashed locks.
.DEFAULT_GOAL := help
.PHONY: help serve test check bench profile power lock clean

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq install
LOCKED := --no-deps --require-hashes --requirement
PACKAGE := --no-deps --no-build-isolation --editable .
CHECK := $(BIN)/python -m pip --disable-pip-version-check check
COMPILE := build/lock/bin/uv pip compile pyproject.toml --group build --universal --python-version 3.11 --no-config --quiet \
	--generate-hashes --no-annotate --no-emit-index-url --custom-compile-command "make lock" $(UPGRADE)

help: ## show these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST)

serve: .venv/runtime ## run the service on http://127.0.0.1:8000; BACKROOM_* variables configure it
	@$(BIN)/backroom serve

# Three processes at a time, because many tests wait. The tests of a file share what it starts.
test: .venv/dev ## run the tests with branch coverage; ARGS="-k title" is passed to pytest
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --cov --cov-report=term-missing:skip-covered $(ARGS)

check: .venv/dev ## lint, formatting, types and the rules of the architecture
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: .venv/dev ## compare speed with a bare server and with the tutorial's app; ARGS=--quick for a first look
	@$(BIN)/python -m tests.benchmarks $(ARGS)

profile: .venv/dev ## show which part of the program the time of a request goes to
	@$(BIN)/python -m tests.benchmarks.profile

power: .venv/dev ## cut the power of the service 200 times under load; takes Linux, root and /dev/fuse; ARGS="--cuts 20"
	@$(BIN)/python -m tests.power $(ARGS)

lock: build/lock ## write the locks anew from pyproject.toml; UPGRADE=--upgrade takes the newest versions
	@$(COMPILE) --output-file requirements.lock
	@$(COMPILE) --output-file requirements-dev.lock --extra dev --extra mcp --constraint requirements.lock

clean: ## remove what was built, never ./data
	rm -rf .venv build *.egg-info .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find domain adapters entrypoints tests \( -name __pycache__ -o -name "*.egg-info" \) -prune -exec rm -r {} +

.venv/runtime: requirements.lock pyproject.toml | .venv/bin/pip
	@$(PIP) $(LOCKED) requirements.lock
	@$(PIP) $(PACKAGE)
	@$(CHECK)
	@touch $@

# The locks are complete, so nothing is resolved (--no-deps), and `pip check` says what would be missing. The dev lock
# holds the runtime's pins too, so one installation serves both.
.venv/dev: requirements-dev.lock pyproject.toml | .venv/bin/pip
	@$(PIP) $(LOCKED) requirements-dev.lock
	@$(PIP) $(PACKAGE)
	@$(CHECK)
	@touch $@ .venv/runtime

# pip is the last thing that venv puts in place, so a set-up that was interrupted is begun again.
.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit("backroom needs Python 3.11 or newer, and $(PYTHON) is %d.%d: make PYTHON=python3.12 ..." % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@echo "Setting up .venv (once)"
	@$(PYTHON) -m venv .venv

build/lock:
	@$(PYTHON) -m venv $@
	@$@/bin/pip -qq install uv
