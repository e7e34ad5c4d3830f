"""`python -m zhanggui_nlu.serve --model MODEL --sha256 HASH`: answers on loopback, to those with the token.

Copies for app processes on other machines take `--beyond-loopback`, in a network that strangers cannot reach:
the token is all that is asked for there, too, and goes over the wire as it is.

    POST /model/parse   {"text": str, "message_id"?: str}  ->  Rasa's parse result
    GET  /health        {"ready", "model_sha256", "versions"}; 503 until the model is loaded

The token comes from the environment variable NLU_TOKEN, or from `--token-file`, and is asked for as
`Authorization: Bearer`. A model is loaded only if it has the hash that the app wrote: loading a strange Rasa
archive can run strange code (CVE-2024-49375). Text is never logged.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import ipaddress
import json
import logging
import os
import re
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from zhanggui_nlu.errors import ModelError, NluError, ServeRefusal
from zhanggui_nlu.hashing import file_hash

TOKEN_VARIABLE = "NLU_TOKEN"
TEXT_LENGTH_MAX = 500
BODY_SIZE_MAX = 16 * 1024
MESSAGE_ID_LENGTH_MAX = 200
EXIT_REFUSED = 2


def require_loopback(host: str) -> str:
    """`host` itself. Raises ServeRefusal unless it is this machine's loopback."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ServeRefusal(f"The NLU service listens on loopback only; '{host}' is refused.")
    return host


def require_token(value: str | None) -> str:
    """The token. Raises ServeRefusal when it is missing or blank."""
    if not value or not value.strip():
        raise ServeRefusal(
            f"The environment variable {TOKEN_VARIABLE} or --token-file must hold the service token."
        )
    return value.strip()


def hash_wanted(arguments: argparse.Namespace) -> str:
    """The hash as given, or as training wrote it on the model's card. Raises ModelError."""
    if arguments.sha256:
        return str(arguments.sha256)
    try:
        return str(json.loads(arguments.card.read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelError(f"{arguments.card.name} does not say which hash the model must have.") from None


def require_model(path: Path, wanted: str) -> str:
    """The hash of the archive. Raises ModelError when it is not the `wanted` one."""
    if not re.fullmatch(r"[0-9a-fA-F]{64}", wanted):
        raise ModelError("The expected model hash must be 64 hexadecimal digits.")
    found = file_hash(path)
    if not hmac.compare_digest(found, wanted.lower()):
        shown = f"{found[:12]}..., not the expected {wanted[:12].lower()}..."
        raise ModelError(f"The model {path.name} has hash {shown}")
    return found


def problem(status: int, code: str, message: str) -> web.Response:
    """An error as JSON: `code` for machines, `message` for people."""
    return web.json_response({"code": code, "message": message}, status=status)


class ParseService:
    """The HTTP face of one model."""

    def __init__(self, archive: Path, model_sha256: str, token: str) -> None:
        """Nothing is loaded yet; see `load`."""
        self._archive = archive
        self._hash = model_sha256
        self._token = token.encode()
        self._model: Any = None
        self.failure: NluError | None = None

    def application(self) -> web.Application:
        """The routes, with the token asked for everywhere."""
        application = web.Application(client_max_size=BODY_SIZE_MAX, middlewares=[self._authenticate])
        application.router.add_post("/model/parse", self.parse)
        application.router.add_get("/health", self.health)
        application.on_startup.append(self._start_loading)
        return application

    async def _start_loading(self, application: web.Application) -> None:
        application["loading"] = asyncio.create_task(self._load_in_background())

    async def _load_in_background(self) -> None:
        """Loads off the event loop, so /health answers meanwhile; a failure ends the service."""
        try:
            self._model = await asyncio.get_running_loop().run_in_executor(None, self._load)
        except NluError as error:
            self.failure = error
            raise web.GracefulExit from error

    def _load(self) -> Any:
        from zhanggui_nlu.runtime import Understanding

        model = Understanding(self._archive)
        model.parse("你好")  # the first sentence pays for caches
        return model

    @web.middleware
    async def _authenticate(self, request: web.Request, handler: Any) -> web.StreamResponse:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        known = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), self._token)
        if scheme.lower() != "bearer" or not known:
            return problem(401, "unauthorised", "A valid bearer token is required.")
        try:
            response: web.StreamResponse = await handler(request)
        except web.HTTPRequestEntityTooLarge:
            return problem(413, "too_long", f"The body may have at most {BODY_SIZE_MAX} bytes.")
        except web.HTTPException as error:
            return problem(error.status, "http_error", error.reason)
        return response

    async def health(self, request: web.Request) -> web.Response:
        """Whether sentences can be parsed, and by what."""
        from zhanggui_nlu.versions import versions

        body = {"ready": self._model is not None, "model_sha256": self._hash, "versions": versions()}
        return web.json_response(body, status=200 if self._model is not None else 503)

    async def parse(self, request: web.Request) -> web.Response:
        """One sentence in, Rasa's parse result out."""
        try:
            body = json.loads(await request.read())
        except ValueError:
            return problem(400, "bad_json", "The body must be JSON.")
        text = body.get("text") if isinstance(body, dict) else None
        message_id = body.get("message_id") if isinstance(body, dict) else None
        if not isinstance(text, str) or not text.strip():
            return problem(400, "bad_text", "`text` must be a string that is not blank.")
        if len(text) > TEXT_LENGTH_MAX:
            return problem(413, "too_long", f"`text` may have at most {TEXT_LENGTH_MAX} characters.")
        if message_id is not None and not (
            isinstance(message_id, str) and len(message_id) <= MESSAGE_ID_LENGTH_MAX
        ):
            limit = f"`message_id` must be a string of at most {MESSAGE_ID_LENGTH_MAX} characters."
            return problem(400, "bad_message_id", limit)
        if self._model is None:
            return problem(503, "not_ready", "The model is still being loaded.")
        return web.json_response(self._model.parse(text.encode("utf-8", "replace").decode(), message_id))


def run(arguments: argparse.Namespace, token_value: str | None) -> int:
    """Checks the settings, serves until stopped. Raises NluError."""
    host = arguments.host if arguments.beyond_loopback else require_loopback(arguments.host)
    if arguments.token_file is not None:
        token_value = arguments.token_file.read_text(encoding="utf-8")
    token = require_token(token_value)
    service = ParseService(arguments.model, require_model(arguments.model, hash_wanted(arguments)), token)
    web.run_app(service.application(), host=host, port=arguments.port, access_log=None, print=None)
    if service.failure is not None:
        raise service.failure
    return 0


def main(argv: list[str] | None = None) -> int:
    """Command line; exit code 2 with one sentence on stderr when the service must not start."""
    parser = argparse.ArgumentParser(prog="zhanggui_nlu.serve")
    parser.add_argument("--model", type=Path, required=True, help="path of model.tar.gz")
    known = parser.add_mutually_exclusive_group(required=True)
    known.add_argument("--sha256", help="hash the archive must have, hex")
    known.add_argument("--card", type=Path, help="model.json of the training, which has the hash")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5005)
    parser.add_argument("--beyond-loopback", action="store_true", help="for a network of one's own only")
    parser.add_argument("--token-file", type=Path, help="file with the token, instead of NLU_TOKEN")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    try:
        return run(arguments, os.environ.pop(TOKEN_VARIABLE, None))
    except NluError as error:
        print(str(error), file=sys.stderr)
    except OSError as error:
        what = error.filename or f"port {arguments.port}"
        print(f"The NLU service cannot use {what}: {error.strerror}.", file=sys.stderr)
    return EXIT_REFUSED


if __name__ == "__main__":
    raise SystemExit(main())
