# Needs Python 3.11 or newer with pip, and make. Another Python: make test PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
CHROMIUM_HINT := browser tests will be skipped: there is no chromium; as root: apt-get install chromium

.PHONY: help demo test check browser soak soak-quick soak-browsers bench wrk detection simulate clean

help:
	@echo "make demo        serve the demo site on http://127.0.0.1:8000/contact"
	@echo "make test        ruff, mypy, and all tests with branch coverage"
	@echo "make soak-quick  the tests that scale, larger: at most 5 minutes"
	@echo "make soak        the same, at full size: at most 45 minutes"
	@echo "make soak-browsers  the browser set at full size, ten of each in real time: about twelve minutes"
	@echo "make bench       what formwarden costs beside the bare app: about twenty minutes, asserts nothing"
	@echo "make detection   who gets through, beside two peers: writes docs/detection.md"
	@echo "make simulate    months of auto-replies and attacks on them, by a clock moved by hand: writes docs/simulation.md"
	@echo "make clean       remove what the other targets made, .venv included"

demo: $(VENV)/.demo
	@$(BIN)/python -m formwarden demo $(ARGS)

test: $(VENV)/.test browser check
	@echo "test: pytest, on two cores"
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal --cov --cov-report=term

check: $(VENV)/.test
	@echo "test: ruff"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@echo "test: mypy"
	@$(BIN)/mypy

soak: $(VENV)/.test
	@echo "soak: at full size"
	@SOAK=1 $(BIN)/python -m pytest -q -m soak --timeout=1800 -n 2 --dist worksteal

soak-quick: $(VENV)/.test
	@echo "soak: the quick size"
	@SOAK=quick $(BIN)/python -m pytest -q -m soak -n 2 --dist worksteal

soak-browsers: $(VENV)/.test browser
	@echo "soak: the browser set"
	@SOAK=1 WHOLE=1 $(BIN)/python -m pytest -q --timeout=3600 tests/testing/test_browsers.py

bench: $(VENV)/.test wrk
	@$(BIN)/python -m bench $(ARGS)

# The peers are installed below .venv-peers, each with the Django it needs.
detection: $(VENV)/.test browser
	@$(BIN)/python -m detection $(ARGS)

simulate: $(VENV)/.test
	@$(BIN)/python -m simulation $(ARGS)

# Without wrk the benches over HTTP are left out, and the bench says so.
wrk:
	@if command -v wrk >/dev/null 2>&1; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "bench: installing wrk"; \
		{ apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk; } >/dev/null || true; \
	fi; \
	command -v wrk >/dev/null 2>&1 || echo "bench: there is no wrk; as root: apt-get install wrk" >&2

clean:
	@rm -rf $(VENV) .venv-peers build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov
	@find src tests examples bench detection -name __pycache__ -type d -prune -exec rm -rf {} +

# With CI=true a missing browser is a failure, not a reason to skip.
browser:
	@if command -v chromium >/dev/null 2>&1; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "test: installing chromium"; \
		{ apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null || true; \
	fi; \
	if command -v chromium >/dev/null 2>&1; then exit 0; fi; \
	echo "test: $(CHROMIUM_HINT)" >&2; \
	[ "$(CI)" != true ]

# A stamp is renewed when pyproject.toml changes; a fresh one costs no call of pip.
$(VENV)/.demo: pyproject.toml | $(VENV)/.made
	@echo "venv: installing formwarden and its demo"
	@$(PIP) install -e '.[demo]'
	@touch $@

# `--group` came with pip 25.1; Python 3.11 brings an older one.
$(VENV)/.test: pyproject.toml | $(VENV)/.made
	@echo "venv: installing formwarden and its tests"
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install -e '.[demo,fastapi]' --group test
	@touch $@ $(VENV)/.demo

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit("formwarden needs Python 3.11 or newer: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		echo "venv: making $(VENV)"; \
		$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; \
	fi
	@touch $@
