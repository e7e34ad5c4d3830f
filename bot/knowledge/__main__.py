"""Fits the knowledge base ahead of time: `python -m bot.knowledge CACHE_DIR [FAQ_DIR] [--terms FILE]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from banking_core.configuration import Terms, TermsError
from bot.knowledge import KnowledgeBase, KnowledgeError

_FAQ_DIR = Path(__file__).parents[2] / "nlu_data" / "faq"


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 when the model is ready in the cache, 1 with the reason on stderr otherwise."""
    parser = argparse.ArgumentParser(prog="python -m bot.knowledge", description=__doc__)
    parser.add_argument("cache_dir", type=Path)
    parser.add_argument("faq_dir", type=Path, nargs="?", default=_FAQ_DIR)
    parser.add_argument("--terms", type=Path, default=None)
    chosen = parser.parse_args(arguments)
    try:
        base = KnowledgeBase.load(chosen.faq_dir, Terms.load(chosen.terms), cache_dir=chosen.cache_dir)
    except (KnowledgeError, TermsError) as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    print(f"{len(base.entries)} entries ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
