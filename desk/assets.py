"""The page's files, read once at start."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files

from aiohttp import web

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True)
class Asset:
    """One file, plain and compressed."""

    content_type: str
    plain: bytes
    packed: bytes
    etag: str

    def answer(self, request: web.Request) -> web.Response:
        """The file, or 304 when the browser holds this very version."""
        headers = {"ETag": f'"{self.etag}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if any(tag.value in ("*", self.etag) for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        packed = "gzip" in request.headers.get("Accept-Encoding", "")
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(
            body=self.packed if packed else self.plain,
            content_type=self.content_type,
            charset="utf-8",
            headers=headers,
        )


def load_assets() -> dict[str, Asset]:
    """Every file of the page by name; a request picks from these, so no path leads elsewhere."""
    assets: dict[str, Asset] = {}
    for entry in files("desk").joinpath("static").iterdir():
        content_type = _TYPES.get(entry.name.rpartition(".")[2])
        if content_type is not None and entry.is_file():
            body = entry.read_bytes()
            etag = hashlib.sha256(body).hexdigest()[:24]
            assets[entry.name] = Asset(content_type, body, gzip.compress(body, mtime=0), etag)
    assert "index.html" in assets, "the page is part of the package"
    return assets
