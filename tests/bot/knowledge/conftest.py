"""The real knowledge base, fitted once for all tests here, and a small one written per test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from banking_core.configuration import Terms
from bot.knowledge import KnowledgeBase
from bot.settings import ROOT

DATA = Path(__file__).parents[3] / "nlu_data"
LEXICONS = DATA / "lexicons"

SMALL = """
- id: cards.fee
  question: 补卡要多少钱
  phrasings:
    - 换一张卡收费吗
    - 补办银行卡的费用
  answer: 补卡收{cards.replace_fee_yuan}元。
  skill: card_replace
- id: transfers.limit
  question: 一天最多能转多少
  phrasings:
    - 转账限额是多少
    - 单笔转账上限
  answer: 单日可以转{transfers.day_yuan}元。
- id: branches.hours
  question: 周末开门吗
  phrasings:
    - 星期天营业不
  answer: 周末{branches.hours}营业。
"""


@pytest.fixture(scope="session")
def base() -> KnowledgeBase:
    """The knowledge base customers are answered from; fitted ahead by `make test`, else now."""
    return KnowledgeBase.load(DATA / "faq", Terms.load(None), cache_dir=ROOT / "var" / "cache")


@pytest.fixture
def terms() -> Terms:
    """The terms the small knowledge base quotes."""
    return Terms.from_mapping(
        {
            "cards": {"replace_fee_yuan": 15},
            "transfers": {"day_yuan": 50000},
            "branches": {"hours": "9:00至16:00"},
        }
    )


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes entry files (name -> YAML text) and returns their folder."""

    def written(**files: str) -> Path:
        folder = tmp_path / "data" / "faq"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.yml").write_text(text, encoding="utf-8")
        return folder

    return written
