"""The tour of the README works sentence by sentence, and its Chinese twin says the same sentences."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.evaluation.converse import MOMENT, play
from bot.evaluation.demo_bank import make_template
from bot.evaluation.script import Script
from bot.evaluation.services import understanding_service
from bot.settings import ROOT, load_settings
from tests.needs import needs_nlu

ROW = re.compile(r"^\| (\d+) \| ([^|]+) \|", re.M)
EXPECTED: dict[str, dict[str, object]] = {
    "查余额": {"card": "balance"},
    "上个月的水电费": {"card": "statement"},
    "给李四转五百": {"card": "readback", "expect": ["*四", "¥500.00", "伍佰元整", "手续费", "到账"]},
    "跨行转账要手续费吗": {"expect": ["元", "接着刚才的转账"]},
    "不对，是六百": {"card": "readback", "expect": ["¥600.00"]},
    "确认": {"expects": "otp"},
    "这个月电费多少": {"expect": ["电费", "¥"]},
    "交电费": {"card": "readback"},
    "上海陆家嘴附近的网点": {"card": "branches"},
    "转人工": {"owner": "queue"},
}


def tour(page: str) -> list[str]:
    return [words.strip() for _, words in ROW.findall((ROOT / page).read_text(encoding="utf-8"))]


def test_both_pages_take_the_same_tour() -> None:
    assert tour("README.md") == tour("README.zh.md") == list(EXPECTED)


@pytest.mark.nlu
@needs_nlu
async def test_the_tour_works_sentence_by_sentence(tmp_path: Path) -> None:
    steps: list[dict[str, object]] = []
    for words in tour("README.md"):
        steps.append({"say": words, **EXPECTED[words]})
        if words == "确认":
            steps.append({"secret": "{otp}", "expect": ["转账成功", "回单编号"]})
        if words == "交电费":
            steps.append({"say": "确认", "expect_any": ["缴费成功", "缴费已受理"]})
    script = Script.model_validate(
        {
            "name": "tour",
            "kind": "happy",
            "customer": "张伟",
            "staff": 1,
            "steps": steps,
            "end": {"orders": {"transfer": 1, "bill_pay": 1}},
        }
    )
    template = await make_template(tmp_path / "bank", MOMENT)
    async with understanding_service(load_settings(), print) as understander:
        result = await play(script, template, understander)
    assert result.passed, "\n".join([*result.transcript, *result.failures])
