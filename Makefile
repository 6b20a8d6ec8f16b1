# A machine needs make, git and Python 3.11 or newer; `make` lists what can be done.
# PYTHON=/path/to/python3 chooses the interpreter that .venv is made with.

PY := .venv/bin/python
LOCK := $(PY) -m uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" --no-emit-index-url --no-emit-find-links pyproject.toml
DEMO := data/examples
DEMO_OUT := demo-report

export GOAL = $(firstword $(MAKECMDGOALS))

.DEFAULT_GOAL := help
.PHONY: help demo test lint check format docs lock clean runtime dev

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: runtime ## install, and run the demo company: writes demo-report/report.html
	@.venv/bin/classifier run $(DEMO)/tickets.json $(DEMO)/sales_notes.csv \
		--claims $(DEMO)/claims.csv --capabilities $(DEMO)/capabilities.csv \
		--accounts $(DEMO)/accounts.csv --objectives $(DEMO)/objectives.csv \
		--config $(DEMO)/classifier.toml --out $(DEMO_OUT)
	@echo
	@echo "Open in a browser: $(CURDIR)/$(DEMO_OUT)/report.html"

test: dev ## install what tests need, and run them all (with coverage: PYTEST_ARGS=--cov)
	@$(PY) -m pytest --numprocesses=auto --dist=loadfile $(PYTEST_ARGS)

lint: dev ## formatting, lint rules, types
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy

check: lint test ## all that has to pass before a commit

format: dev ## format the code and mend what ruff can mend
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

docs: dev ## ask the program anew for docs/cli.md and the outputs in README.md
	@$(PY) scripts/write_docs.py

lock: dev ## write both lock files after a change in pyproject.toml (newest versions: LOCK_ARGS=--upgrade)
	@$(LOCK) $(LOCK_ARGS) --group build --output-file requirements.lock
	@$(LOCK) $(LOCK_ARGS) --group dev --constraints requirements.lock --output-file requirements-dev.lock

clean: ## remove caches, coverage and the demo's report; .venv stays
	@rm -rf .coverage coverage.xml htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist $(DEMO_OUT)
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

runtime:
	@scripts/setup.sh requirements.lock

dev:
	@scripts/setup.sh requirements-dev.lock
