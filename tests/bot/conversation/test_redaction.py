"""What is blotted out before anybody reads it, and what is left because it is needed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversation.challenges import secret_in
from bot.conversation.redaction import ANY, BLOT, for_log, looks_like_code, without_secrets

SPOKEN = "零一二三四五六七八九"
CARD, IDENTITY = "六二二二零二一二三四五六七八九零一二三", "幺幺零一零一一九九零零三零七三二一叉"


def said(digits: str) -> str:
    return "".join(SPOKEN[int(digit)] for digit in digits)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("密码是一二三四五六", "密码是"),
        ("我的密码是幺二三四五六", "我的密码是"),
        ("密码我设的是一二三四五六", "密码我设的是"),
        ("验证码二四六八幺零", "验证码"),
        ("验证码收到了是二四六八一零", "验证码收到了是"),
        ("验证码 二 四 六 八 幺 零", "验证码 "),
        ("验证码是2 4 6 8 1 0", "验证码是"),
        ("验证码２４６８１０", "验证码"),
        ("密码壹贰叁肆伍陆", "密码"),
        ("验证码二四三个八幺零", "验证码"),
    ],
)
def test_a_secret_after_its_name_is_blotted_out_spoken_as_well_as_typed(text: str, kept: str) -> None:
    assert for_log(text) == without_secrets(text) == kept + BLOT


@pytest.mark.parametrize("awaited", ["otp", "totp", "voice", "password", ANY])
@pytest.mark.parametrize(
    "code", ["二四六八幺零", "246810", "二四六 八幺零", "二四六，八幺零", "2四6八幺零", "两四六八幺零"]
)
def test_a_code_is_blotted_out_while_one_is_awaited_however_it_is_said(awaited: str, code: str) -> None:
    assert for_log(f"好像是{code}吧", awaited=awaited) == f"好像是{BLOT}吧"


@pytest.mark.parametrize("code", ["二四六八幺", "二四六八幺零零", "二四六八幺零零二"])
def test_a_code_that_was_misheard_by_a_digit_or_two_is_still_a_code(code: str) -> None:
    assert for_log(f"是{code}", awaited="otp") == f"是{BLOT}"


@pytest.mark.parametrize("tail", ["三二幺四", "三二幺X", "三二幺叉", "3214", "321x"])
def test_the_end_of_an_identity_number_is_blotted_out_while_it_is_awaited(tail: str) -> None:
    assert for_log(f"后四位是{tail}", awaited="id_tail") == f"后四位是{BLOT}"


@pytest.mark.parametrize("secret", ["三二幺四", "三二幺叉", "二四六八幺", "二四六八幺零"])
def test_what_may_be_a_secret_said_to_a_human_is_blotted_out(secret: str) -> None:
    assert for_log(f"是{secret}", awaited=ANY) == f"是{BLOT}"


def test_of_a_spoken_card_or_identity_number_only_the_end_is_kept() -> None:
    assert for_log(f"转到{CARD}，五百块") == "转到****0123，五百块"
    assert for_log(f"身份证{IDENTITY}") == "身份证****321X"
    assert for_log("卡号六二二二三个零一二三四五六七八九零一二三") == "卡号****"
    assert for_log("卡号６２２２０２１２３４５６７８９０１２３") == "卡号****0123"
    assert without_secrets(f"转到{CARD}") == f"转到{CARD}", "a payee needs it"


@pytest.mark.parametrize(
    "text",
    [
        "给李四转五千块",
        "转12345元",
        "我的手机号是幺三八零零零零零零零五",
        "二零二六年十一月办的卡",
        "密码错了三次",
        "密码一直不对",
        "尾号6781的卡",
        "三四百块，五六个人",
        "一二三四次都收不到验证码",
    ],
)
def test_what_is_no_secret_stays_readable_for_whoever_helps(text: str) -> None:
    assert for_log(text) == text
    if "一二三四" not in text:
        assert for_log(text, awaited=ANY) == text


@given(st.text("0123456789", min_size=4, max_size=19), st.sampled_from(["", "我说", "卡号是", "转给他"]))
@settings(derandomize=True, deadline=None)
def test_no_spoken_run_of_digits_but_a_telephone_number_reaches_an_agent_whole(
    digits: str, before: str
) -> None:
    shown = for_log(before + said(digits), awaited=ANY)
    if len(digits) in (9, 10, 11):
        assert shown.endswith(said(digits)), "a telephone number, an account with a biller"
    else:
        assert said(digits) not in shown and digits not in shown


@pytest.mark.parametrize("code", ["二四六八幺零", "246810", " ２４６８１０ "])
def test_a_late_code_is_known_as_one_however_it_is_said(code: str) -> None:
    assert looks_like_code(code)
    assert not looks_like_code("二四六八幺") and not looks_like_code("是二四六八幺零吗")


def test_the_end_of_an_identity_number_is_understood_with_words_around_it() -> None:
    challenge = {"kind": "id_tail"}
    assert secret_in(challenge, "后四位是三二幺四", False) == "3214"
    assert secret_in(challenge, "三二幺叉", False) == "321X"
    assert secret_in(challenge, "三百二十四", False) is None


def test_of_a_receiving_code_the_log_keeps_that_one_was_shown() -> None:
    token = "bcdfghjklmnpqrstwxyzbcdfgh"
    for said in (f"[收款码]{token}", f"付 http://10.0.0.7:8080/?pay={token} 吧"):
        assert token not in for_log(said) and "[收款码]" in for_log(said)
        assert token in without_secrets(said, awaited=ANY)
