"""Nothing said is lost or said twice on the way into texts of 2,048 bytes, and they are as few as can be."""

from __future__ import annotations

import re
from math import ceil
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.wechat.texts import (
    ENDS,
    HEARD,
    MORE,
    TEXT_BYTES_MAX,
    Mark,
    cut,
    pieces,
    shown,
    size,
    voice_key,
)
from bot.conversation.redaction import BLOT


def said(*texts: str, sender: str = "bot", first_seq: int = 1) -> list[dict[str, Any]]:
    return [
        {"seq": seq, "sender": sender, "sender_name": "小掌柜", "text": text, "card": None, "choices": []}
        for seq, text in enumerate(texts, first_seq)
    ]


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


sentence = st.text(st.sampled_from("钱转账余额ab1，、 "), min_size=1, max_size=120).map(
    lambda words: words + "。"
)
message = st.lists(sentence, max_size=30).map("".join)
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=3000)
PLENTY = 10_000


@settings(derandomize=True, deadline=None)
@given(st.lists(st.one_of(message, anything), max_size=6))
def test_every_character_arrives_once_and_in_order(texts: list[str]) -> None:
    messages = said(*texts)
    found = pieces(messages, Mark(0), count_max=PLENTY)
    assert bare("".join(piece.text for piece in found)) == bare("".join(shown(each) for each in messages))
    assert all(0 < size(piece.text) <= TEXT_BYTES_MAX for piece in found)
    assert not found or found[-1].upto == Mark(len(texts))


@settings(derandomize=True, deadline=None)
@given(st.lists(st.one_of(message, anything), max_size=6))
def test_going_on_from_any_mark_says_the_rest(texts: list[str]) -> None:
    messages, mark, heard = said(*texts), Mark(0), ""
    while found := pieces([m for m in messages if m["seq"] > mark.seq], mark, count_max=1):
        heard += found[0].text.removesuffix(MORE)
        assert (found[0].upto.seq, found[0].upto.chars) > (mark.seq, mark.chars)
        mark = found[0].upto
    assert bare(heard) == bare("".join(shown(each) for each in messages))


@settings(derandomize=True, deadline=None)
@given(st.lists(message.filter(lambda text: text.strip()), min_size=1, max_size=6))
def test_the_texts_are_nearly_as_few_as_the_bytes_allow(texts: list[str]) -> None:
    found = pieces(said(*texts), Mark(0), count_max=PLENTY)
    longest = max(size(piece) for text in texts for piece in re.findall(f"[^{ENDS}]*[{ENDS}]", text))
    room = TEXT_BYTES_MAX - longest - 2
    assert len(found) <= ceil(sum(size(text) + 2 for text in texts) / room)


@settings(derandomize=True, deadline=None)
@given(message)
def test_cuts_are_where_sentences_end(text: str) -> None:
    found = pieces(said(text), Mark(0), count_max=PLENTY)
    assert all(piece.text[-1] in ENDS for piece in found)


@settings(derandomize=True)
@given(st.text(min_size=1, max_size=200), st.integers(1, 300))
def test_a_cut_fits_and_moves_on(text: str, bytes_max: int) -> None:
    taken = cut(text, bytes_max)
    assert 1 <= taken <= len(text)
    assert taken == 1 or size(text[:taken]) <= bytes_max


def test_short_replies_are_one_text_and_the_customer_s_own_words_are_not_sent_back() -> None:
    messages = said("好的。", "余额¥5.00。") + said("谢谢", sender="customer", first_seq=3)
    found = pieces(messages, Mark(0), count_max=5)
    assert [piece.text for piece in found] == ["好的。\n\n余额¥5.00。"]
    assert found[0].upto == Mark(3)


def test_when_more_is_to_say_than_may_be_sent_the_last_text_says_so() -> None:
    messages = said("一二三四五六七八九十。" * 200)
    found = pieces(messages, Mark(0), count_max=2)
    assert len(found) == 2 and found[1].text.endswith(MORE) and not found[0].text.endswith(MORE)
    assert all(size(piece.text) <= TEXT_BYTES_MAX for piece in found)
    assert pieces(messages, found[1].upto, count_max=1)


def test_a_card_is_readable_and_an_agent_has_a_name() -> None:
    card = {
        "kind": "branches",
        "title": "网点",
        "facts": [{"label": "城市", "value": "上海"}],
        "columns": ["名称", "地址"],
        "rows": [["陆家嘴支行", "世纪大道1号"]],
        "note": "周末休息",
    }
    one = said("找到1处。")[0] | {"card": card}
    assert shown(one) == "找到1处。\n【网点】\n城市：上海\n陆家嘴支行  世纪大道1号\n周末休息"
    agent = said("您好", sender="agent")[0] | {"sender_name": "小王"}
    assert shown(agent) == "小王：您好"


def test_nobody_s_words_become_a_link() -> None:
    text = shown(said('<a href="http://evil.example">领奖</a>')[0])
    assert "<" not in text and "evil.example" in text


def spending(seq: int) -> dict[str, Any]:
    rows = [["餐饮", "¥600.00", "60.0%"], ["交通", "¥400.00", "40.0%"]]
    facts = [{"label": "支出合计", "value": "¥1,000.00"}]
    card = {"kind": "spending", "title": "消费分析", "facts": facts, "columns": [], "rows": rows, "note": ""}
    return said("共支出¥1,000.00。", first_seq=seq)[0] | {"card": card}


def test_a_picture_follows_its_words_and_nothing_comes_between() -> None:
    messages = [*said("您好。"), spending(2), *said("还要办什么？", first_seq=3)]
    found = pieces(messages, Mark(0), count_max=PLENTY, last_words="（完）")
    assert [piece.picture is not None for piece in found] == [False, True, False]
    assert (
        found[0].text.startswith("您好。\n\n共支出¥1,000.00。") and "1. 餐饮  ¥600.00  60.0%" in found[0].text
    )
    assert found[1].picture == messages[1] and found[1].upto == Mark(2)
    assert (found[2].text, found[2].upto) == ("还要办什么？（完）", Mark(3))
    assert pieces(messages, found[0].upto, count_max=PLENTY, last_words="（完）") == found[1:]
    assert pieces(messages, found[1].upto, count_max=PLENTY, last_words="（完）") == found[2:]


def test_when_only_the_words_may_be_sent_they_say_that_there_is_more() -> None:
    found = pieces([spending(1)], Mark(0), count_max=1)
    assert len(found) == 1 and found[0].text.endswith(MORE)
    left = pieces([spending(1)], found[0].upto, count_max=1)
    assert left[0].picture is not None and left[0].upto == Mark(1)


def test_what_was_heard_is_told_with_an_answer_only() -> None:
    voice = said("查余额", sender="customer")[0] | {"client_id": voice_key("k")}
    assert pieces([voice], Mark(0), count_max=PLENTY) == []
    text = pieces([voice, *said("余额¥5.00。", first_seq=2)], Mark(0), count_max=PLENTY)[0].text
    assert text == f"{HEARD.format('查余额')}\n\n余额¥5.00。"
    secret = voice | {"text": BLOT}
    assert pieces([secret, *said("好的。", first_seq=2)], Mark(0), count_max=PLENTY)[0].text == "好的。"


def test_choices_that_another_message_follows_are_named_and_those_of_an_older_question_are_not() -> None:
    offered = [{"label": "手续费多少", "say": "手续费多少"}]
    first, second = said("您问的是哪一个？", "接着刚才的转账：转给谁？")
    found = pieces([first | {"choices": offered}, second], Mark(0), count_max=5)
    assert [piece.text for piece in found] == [
        "您问的是哪一个？\n（可以回复：手续费多少）\n\n接着刚才的转账：转给谁？"
    ]
    between = said("算了", sender="customer", first_seq=2) + said("好的。", first_seq=3)
    found = pieces([first | {"choices": offered}, *between], Mark(0), count_max=5)
    assert "可以回复" not in found[0].text
    same = pieces([first | {"choices": offered}, second | {"choices": offered}], Mark(0), count_max=5)
    assert "可以回复" not in same[0].text  # said once, at the end, by whoever sends it
