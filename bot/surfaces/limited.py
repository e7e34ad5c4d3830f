"""A program of its own: runs a script with at most so much memory and processor time, and no file to write to.

Arguments: bytes of memory, seconds of processor, the script, the script's own arguments. It imports nothing of ours.
"""

from __future__ import annotations

import resource
import runpy
import sys


def limit(memory_bytes: int, cpu_s: int) -> None:
    """From now on this process has only that."""
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    limit(int(sys.argv[1]), int(sys.argv[2]))
    del sys.argv[:3]  # the script finds itself first, as if it had been started
    runpy.run_path(sys.argv[0], run_name="__main__")
