# Two commands matter: `make run` and `make test`. Everything else serves them.
SHELL := /bin/bash
TOOLS := .tools
UV := $(CURDIR)/$(TOOLS)/bin/uv
PY := .venv/bin/python
NLU := bot/nlu
NLU_PY := $(NLU)/.venv/bin/python

.PHONY: install run test check unit

install: .venv/.installed $(NLU)/.venv/.installed

$(TOOLS)/bin/uv:
	@echo "[1/3] 安装工具 uv …"
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 或更新版本（python3）。"; exit 2; }
	@python3 -m venv $(TOOLS)
	@$(TOOLS)/bin/pip install -q uv || { echo "连不上 PyPI，无法安装 uv，请检查网络或软件源设置。"; exit 2; }

.venv/.installed: requirements-dev.lock pyproject.toml | $(TOOLS)/bin/uv
	@echo "[2/3] 安装应用环境（Python 3.11+）…"
	@$(UV) venv -q --allow-existing --python "$$(python3 -c 'import sys; print(sys.executable)')" .venv
	@$(UV) pip sync -q --python $(PY) --require-hashes requirements-dev.lock || { echo "应用环境安装失败：请检查网络、软件源或磁盘空间。"; exit 2; }
	@$(UV) pip install -q --python $(PY) --no-deps -e . || { echo "应用安装失败：请检查网络或磁盘空间。"; exit 2; }
	@touch $@

$(NLU)/.venv/.installed: $(NLU)/requirements.lock | $(TOOLS)/bin/uv
	@echo "[3/3] 安装理解服务环境（Python 3.10，约 2.5 GB，首次要几分钟）…"
	@found="$$(cd $(NLU) && python3.10 -c 'import sys; print(sys.executable)' 2>/dev/null || true)"; \
	if [ -z "$$found" ]; then echo "没有找到 Python 3.10：请安装它（PATH 上的 python3.10，或 pyenv install 3.10）。"; exit 2; fi; \
	$(UV) venv -q --allow-existing --python "$$found" $(NLU)/.venv
	@$(UV) pip sync -q --python $(NLU_PY) --require-hashes $(NLU)/requirements.lock || { echo "理解服务环境安装失败：请检查网络、软件源或磁盘空间。"; exit 2; }
	@touch $@

run: install
	@exec .venv/bin/zhanggui run

check: install
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports

test: install
	.venv/bin/zhanggui train
	$(PY) -m pytest --cov --cov-report=term:skip-covered
