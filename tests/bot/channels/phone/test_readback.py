"""What a caller hears of an order before it is carried out."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels.phone.audio import duration_ms
from bot.channels.phone.loop.events import Expect
from bot.channels.phone.loop.prompts import Asked
from bot.channels.phone.readback import read_back
from bot.channels.phone.speaking.espeak import synthesise
from bot.channels.phone.spoken import spoken_pieces

TRANSFER = {
    "收款人": "*四",
    "收款账户": "掌柜银行 尾号8186",
    "付款账户": "尾号0699",
    "金额": "¥500.00（伍佰元整）",
    "手续费": "免费",
    "到账时间": "实时到账",
    "附言": "转账",
}


def said(facts: dict[str, str], payee: str = "", question: str = "确认要转账吗？") -> str:
    listed = [{"label": label, "value": facts[label]} for label in facts]
    card: dict[str, Any] = {"facts": listed, "asks": question}
    text = "请您核对：" + "，".join(f"{label}{value}" for label, value in facts.items()) + f"。{question}"
    return "".join(spoken_pieces(read_back(card, text, payee)))


def test_a_transfer_is_read_back_with_payee_bank_tail_and_amount_and_nothing_more():
    assert said(TRANSFER, "李四") == "请核对，收款人李四，掌柜银行 尾号八幺八六，金额五百元。确认吗？"


def test_a_read_back_with_its_keys_is_over_within_thirteen_seconds():
    pieces = (
        *spoken_pieces(said(TRANSFER, "欧阳小明")),
        *Asked(Expect.YES_NO, ("确认", "修改", "取消")).keys(),
    )
    assert sum(duration_ms(synthesise(piece, 1.0)) for piece in pieces) <= 13_000


@pytest.mark.parametrize(
    ("label", "value", "heard"),
    [
        ("手续费", "¥5.50", "手续费五元五角"),
        ("到账时间", "预计明天24点前到账", "明天二十四点前到账"),
        ("附言", "房租", "附言房租"),
        ("金额", "¥12,345.60（壹万贰仟叁佰肆拾伍元陆角整）", "一万两千三百四十五元六角"),
    ],
)
def test_what_is_out_of_the_ordinary_is_said(label: str, value: str, heard: str):
    assert heard in said({**TRANSFER, label: value}, "李四")


def test_without_a_name_that_may_be_said_the_surname_stays_hidden():
    assert "收款人某四" in said(TRANSFER)


def test_what_a_skill_explains_in_its_own_words_is_heard_whole():
    card: dict[str, Any] = {"facts": [{"label": "业务", "value": "开通声纹"}]}
    explained = "声纹是您声音的特征，只用来核实身份。业务开通声纹。同意开通声纹吗？"
    assert read_back(card, explained) == explained, "even where the facts happen to be among the words"


def test_of_an_order_that_pays_nobody_everything_is_said():
    facts = {"业务": "开启安全锁", "锁定范围": "转账和支付", "效果": "转出都要人工", "付款账户": "尾号0699"}
    heard = said(facts, question="确认要开启安全锁吗？")
    assert heard == (
        "请核对，业务开启安全锁，锁定范围转账和支付，效果转出都要人工，付款账户尾号零六九九。确认要开启安全锁吗？"
    )
