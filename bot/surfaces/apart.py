"""Runs a script of ours in a process of its own, for what strangers made: no secret of ours goes along.

The process ends when it needs more memory or time than the work does, and may open no file for writing.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LIMITED: Final = Path(__file__).with_name("limited.py")
READ_BYTES: Final = 64 * 1024
KEPT_IN_ENVIRONMENT: Final = ("PATH", "LD_LIBRARY_PATH")


class ApartFailed(Exception):
    """The script refused, died, or was too slow; the text says which."""

    code = "apart_failed"


@dataclass(frozen=True)
class Limits:
    """What one run may take: memory, processor time, time on the clock, and what it may write to its output."""

    memory_bytes: int
    cpu_s: int
    clock_s: float
    told_bytes: int


async def apart(script: Path, fed: bytes, *arguments: str, limits: Limits) -> bytes:
    """What the script writes to its output after reading `fed`. Raises ApartFailed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_LIMITED),
        str(limits.memory_bytes),
        str(limits.cpu_s),
        str(script),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in KEPT_IN_ENVIRONMENT if name in os.environ},
    )
    try:
        async with asyncio.timeout(limits.clock_s):
            told = await _exchange(process, fed, limits.told_bytes)
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
