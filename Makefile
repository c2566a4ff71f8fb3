# What a person types. Every target sets itself up first, and only when something changed since the last time.
# Variables: PYTHON names the interpreter for the environment; ARGS goes to the command (make test ARGS="-k rounding").

SHELL = /bin/sh
VENV = .venv
RUN = $(VENV)/bin/python
NEED_MB = 800

.PHONY: help setup demo test check coverage bench chaos screenshots

help:
	@echo "make demo    the site with a believable customer, one edit before the deal"
	@echo "make test    every test"
	@echo "make setup   the environment alone (.venv)"
	@echo "make check   format, lint, types, direction of imports"
	@echo "make coverage   which branches of the engines their tests take; all, or it fails"
	@echo "make bench   benchmarks: ingest as ratios to the bare database, and what pricing, drafts and finalization cost"
	@echo "make chaos   the ledger under kills, lost answers and a full disk"
	@echo "make screenshots   the README's pictures, of a demo of their own; ARGS=FOLDER: every page of each role into a folder"

demo: setup
	@exec $(RUN) manage.py demo $(ARGS)

test: setup
	@exec $(RUN) -m pytest -n 2 --dist worksteal $(ARGS)

check: setup
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

coverage: setup
	@$(RUN) -m coverage run -m pytest -q -n 0 tests/pricing/engine tests/invoicing/engine $(ARGS)
	@exec $(RUN) -m coverage report

bench: setup
	@$(RUN) -m benchmarks $(ARGS)
	@$(RUN) -m benchmarks.pricing
	@$(RUN) -m benchmarks.drafts
	@exec $(RUN) -m benchmarks.finalization

chaos: setup
	@exec $(RUN) -m benchmarks.chaos $(ARGS)

screenshots: setup
	@exec $(RUN) -m tests.browser.screenshots $(ARGS)

# The stamp holds a checksum of what was installed. Python 3.13 down to 3.11 come first: the embedded PostgreSQL has no
# wheel for 3.15 yet, and the job queue is known to be troubled on 3.14.
setup:
	@wanted=`cat pyproject.toml constraints.txt | cksum`; \
	if [ "`cat $(VENV)/.set-up 2>/dev/null`" = "$$wanted" ] && $(RUN) -c '' 2>/dev/null; then exit 0; fi; \
	stop() { echo "$$1" >&2; exit 1; }; \
	free=`df -Pk . | awk 'NR == 2 { print int($$4 / 1024) }'`; \
	[ "$$free" -ge $(NEED_MB) ] || stop "The disk has $$free MB left here; $(NEED_MB) MB are needed to set up."; \
	if ! $(RUN) -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		python=; without_venv=; \
		for candidate in $(or $(PYTHON),python3.13 python3.12 python3.11 python3.14 python3 python); do \
			$$candidate -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null || continue; \
			if $$candidate -c 'import venv, ensurepip' 2>/dev/null; then python=$$candidate; break; fi; \
			without_venv=$$candidate; \
		done; \
		if [ -z "$$python" ] && [ -n "$$without_venv" ]; then \
			stop "$$without_venv cannot make environments: install python3-venv (Debian, Ubuntu: apt install python3-venv), or name another Python: make PYTHON=..."; \
		fi; \
		if [ -z "$$python" ]; then \
			found=`$(or $(PYTHON),python3) --version 2>/dev/null || echo "no Python"`; \
			stop "Countinghouse needs Python 3.11 to 3.14, and there is $$found: install one, or name it: make PYTHON=/path/to/python3.11"; \
		fi; \
		echo "Making $(VENV) with `$$python --version` ..."; \
		rm -rf $(VENV); \
		$$python -m venv $(VENV) || stop "$(VENV) could not be made; the lines above say why."; \
	fi; \
	echo "Installing the packages of constraints.txt ..."; \
	$(RUN) -m pip install --disable-pip-version-check --no-deps --require-hashes -r constraints.txt \
		|| stop "The packages could not be installed; the lines above say why (no network?). Run the same command again."; \
	echo "$$wanted" > $(VENV)/.set-up
