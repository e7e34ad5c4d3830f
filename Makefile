# Two commands matter: `make run` and `make test`. Everything else serves them.
SHELL := /bin/bash
PY := .venv/bin/python
NLU := bot/nlu

.PHONY: install run check test coverage lock audit

install:
	@setup/install.sh

run: install
	@exec .venv/bin/zhanggui run

check: install
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

PYTEST := $(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile

test: install check
	setup/test_servers.sh
	.venv/bin/zhanggui train
	$(PY) -m bot.knowledge var/cache
	cd $(NLU) && .venv/bin/python -W ignore -m unittest -q
	$(PYTEST) --durations=25

# What no test runs through. Apart from `test`, because tracing every line doubles its time.
coverage: install
	setup/test_servers.sh
	.venv/bin/zhanggui train
	$(PYTEST) --cov --cov-report=term:skip-covered

# After a change of the dependencies in pyproject.toml or bot/nlu/pyproject.toml.
lock: install
	.tools/bin/uv pip compile -q --generate-hashes --no-annotate --no-header --python-version 3.11 pyproject.toml -o requirements.lock
	.tools/bin/uv pip compile -q --generate-hashes --no-annotate --no-header --python-version 3.11 --extra dev pyproject.toml -o requirements-dev.lock
	cd $(NLU) && $(CURDIR)/.tools/bin/uv pip compile -q --generate-hashes --no-annotate --no-header --python-version 3.10 pyproject.toml -o requirements.lock

# Known vulnerabilities in what strangers can reach; asks the advisory service, so it needs the internet.
audit: install
	$(PY) -m pip_audit -r requirements.lock --no-deps --disable-pip
