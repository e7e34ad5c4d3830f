"""python -m migrations upgrade URL | revision MESSAGE"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from migrations.runner import make_revision, upgrade


async def _revision(message: str) -> None:
    """Compares the models with a throw-away database at the newest revision."""
    existing = len(list((Path(__file__).parent / "versions").glob("[0-9]*.py")))
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'empty.db'}"
        if existing:
            await upgrade(url)
        await make_revision(url, message, revision_id=f"{existing + 1:04d}")


def main(arguments: list[str]) -> int:
    """Runs one command."""
    match arguments:
        case ["upgrade", url]:
            asyncio.run(upgrade(url))
        case ["revision", message]:
            asyncio.run(_revision(message))
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
