"""What the process has loaded stays: nobody needs to look through it for garbage again and again."""

from __future__ import annotations

import gc


def settle() -> None:
    """After the start, and whenever much that stays has been loaded.

    A full collection looks at every object, knowledge and configuration included, which takes 100 to 200 ms of the
    event loop: a gap in every call. What is frozen is not looked at.
    """
    gc.collect()
    gc.freeze()
