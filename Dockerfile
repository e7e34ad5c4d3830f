# Two images from one file: `app` (web, desk, telephone, jobs; Python 3.11) and `understanding` (Rasa and spaCy; Python 3.10).
# Both install the locked, hashed dependencies with uv, as setup/install.sh does, and run as a user without rights.

FROM python:3.11-slim-bookworm AS app-build
RUN python -m venv /opt/tools && /opt/tools/bin/pip install --quiet --disable-pip-version-check uv
WORKDIR /srv/zhanggui
COPY requirements.lock pyproject.toml ./
RUN /opt/tools/bin/uv venv --python /usr/local/bin/python3 .venv \
 && /opt/tools/bin/uv pip sync --python .venv/bin/python --require-hashes --link-mode copy requirements.lock
COPY README.md LICENSE NOTICE ./
COPY banking_core banking_core
COPY actions actions
COPY desk desk
COPY migrations migrations
COPY nlu_data nlu_data
COPY bot bot
RUN /opt/tools/bin/uv pip install --python .venv/bin/python --no-deps --editable . \
 && .venv/bin/python -m bot.knowledge var/cache

FROM python:3.11-slim-bookworm AS app
RUN useradd --system --uid 10001 --home-dir /srv/zhanggui zhanggui \
 && install --directory --owner zhanggui --mode 1777 /data
COPY --from=app-build --chown=root:root /srv/zhanggui /srv/zhanggui
WORKDIR /srv/zhanggui
ENV PATH=/srv/zhanggui/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ZHANGGUI_MODE=production \
    ZHANGGUI_HOST=0.0.0.0 \
    ZHANGGUI_DATA_DIR=/data \
    ZHANGGUI_CACHE_DIR=/srv/zhanggui/var/cache
USER zhanggui
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["zhanggui"]
CMD ["serve"]

FROM python:3.10-slim-bookworm AS understanding-build
RUN python -m venv /opt/tools && /opt/tools/bin/pip install --quiet --disable-pip-version-check uv
WORKDIR /srv/zhanggui/bot/nlu
COPY bot/nlu/requirements.lock ./
RUN /opt/tools/bin/uv venv --python /usr/local/bin/python3 .venv \
 && /opt/tools/bin/uv pip sync --python .venv/bin/python --require-hashes --link-mode copy requirements.lock
COPY bot/nlu/zhanggui_nlu zhanggui_nlu
COPY nlu_data /srv/zhanggui/nlu_data
RUN PYTHONHASHSEED=0 .venv/bin/python -m zhanggui_nlu.train --data /srv/zhanggui/nlu_data --out /srv/zhanggui/model

FROM python:3.10-slim-bookworm AS understanding
RUN useradd --system --uid 10001 --home-dir /srv/zhanggui zhanggui
COPY --from=understanding-build --chown=root:root /srv/zhanggui/bot/nlu /srv/zhanggui/bot/nlu
COPY --from=understanding-build --chown=root:root /srv/zhanggui/model /srv/zhanggui/model
WORKDIR /srv/zhanggui/bot/nlu
ENV PATH=/srv/zhanggui/bot/nlu/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONHASHSEED=0
USER zhanggui
EXPOSE 5005
# Without the token it answers 401, which is an answer: it listens. Whether its model is loaded, the app processes ask.
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=3 \
    CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 5005), timeout=4)"]
ENTRYPOINT ["python", "-m", "zhanggui_nlu.serve"]
CMD ["--model", "/srv/zhanggui/model/model.tar.gz", "--card", "/srv/zhanggui/model/model.json", \
     "--host", "0.0.0.0", "--port", "5005", "--beyond-loopback", "--token-file", "/run/secrets/zhanggui_nlu_token"]
