"""Runs a script of ours in a process of its own, for what strangers made: no secret of ours goes along."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

READ_BYTES: Final = 64 * 1024
KEPT_IN_ENVIRONMENT: Final = ("PATH", "LD_LIBRARY_PATH")


class ApartFailed(Exception):
    """The script refused, died, or was too slow; the text says which."""

    code = "apart_failed"


async def apart(script: Path, fed: bytes, *arguments: str, seconds: float, bytes_max: int) -> bytes:
    """What the script writes to its output after reading `fed`, at most `bytes_max`. Raises ApartFailed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(script),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in KEPT_IN_ENVIRONMENT if name in os.environ},
    )
    try:
        async with asyncio.timeout(seconds):
            told = await _exchange(process, fed, bytes_max)
            status = await process.wait()
    except (TimeoutError, OSError) as error:
        raise ApartFailed(type(error).__name__) from None
    finally:
        if process.returncode is None:
            process.kill()
        await _ended(process)
    if status != 0:
        raise ApartFailed(f"status {status}")
    return told


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Waits for its end: asyncio tells of it only once what it had written is read."""
    assert process.stdout is not None
    while await process.stdout.read(READ_BYTES):
        pass
    await process.wait()


async def _exchange(process: asyncio.subprocess.Process, fed: bytes, bytes_max: int) -> bytes:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(fed)
    await process.stdin.drain()
    process.stdin.close()
    told = b""
    while more := await process.stdout.read(bytes_max + 1 - len(told)):
        told += more
        if len(told) > bytes_max:
            raise ApartFailed("too much")
    return told
