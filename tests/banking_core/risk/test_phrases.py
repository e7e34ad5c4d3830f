from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from banking_core.risk.context import PHRASE_CATEGORIES
from banking_core.risk.errors import PhrasesInvalid
from banking_core.risk.phrases import Phrases, packaged_phrases

ROOT = Path(__file__).parents[3] / "nlu_data"
MARKED = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")
SAID = {
    "对方让我把钱转到安全账户": "safe_account",
    "公安局的人要我把钱转过去配合调查": "officials",
    "群里刷单要我先垫钱": "brushing",
    "客服让我开屏幕共享": "screen_share",
    "我把验证码给他了": "code_sharing",
    "客服说要给我退款，让我先转一笔": "refund",
    "领导急用钱让我马上转": "boss",
    "贷款要先交保证金": "loan_fee",
    "老师带单稳赚": "investment",
    "儿子出事了要我打钱": "relative",
    "网友让我转路费": "romance",
    "他说不能告诉家人": "secrecy",
    "他在电话里教我转账": "coaching",
}
HONEST = (
    "给李四转五百",
    "我要转账给我妈",
    "查一下余额",
    "交一下电费",
    "能不能告诉我家里还剩几方气",
    "充五十话费",
    "给房东转三千房租",
    "还信用卡",
    "我的账户安全吗",
    "附近有网点吗",
    "我忘了密码",
    "确认",
    "取消",
    "验证码没收到",
    "验证码怎么还没发来",
    "给老板转货款两万",
    "把钱转到我另一张卡",
    "我要投诉客服",
    "今天警察局旁边的网点开门吗",
    "往我电话里存一百",
    "别让别人用我的卡",
    "百度网盘会员怎么取消",
    "快递丢了找谁赔",
)


@pytest.mark.parametrize(("said", "category"), SAID.items())
def test_stories_that_swindlers_teach_are_heard(said: str, category: str) -> None:
    assert category in packaged_phrases().hear(said).categories


def test_no_sentence_that_the_assistant_is_trained_on_for_money_is_a_story() -> None:
    told = {}
    for area in ("transfers", "living", "cards", "accounts", "statements"):
        data = yaml.safe_load((ROOT / f"{area}.yml").read_text(encoding="utf-8"))
        for block in data["nlu"]:
            for line in str(block.get("examples", "")).splitlines():
                sentence = MARKED.sub(r"\1", line.strip().removeprefix("- "))
                if packaged_phrases().hear(sentence).categories:
                    told[sentence] = area
    assert told == {}


def test_whoever_tells_a_story_is_warned_in_plain_words() -> None:
    phrases = packaged_phrases()
    for said in SAID:
        warning = phrases.warning(phrases.hear(said))
        assert warning.startswith("请先停一下：")
        assert any(word in warning for word in ("骗", "冒充", "验证码"))
    assert phrases.warning(phrases.hear("给李四转五百")) == ""


def test_every_category_is_tried() -> None:
    assert set(SAID.values()) == set(PHRASE_CATEGORIES)


@pytest.mark.parametrize("said", HONEST)
def test_everyday_sentences_are_not_stories(said: str) -> None:
    assert packaged_phrases().hear(said).categories == ()


@pytest.mark.parametrize("asked", ["什么是刷单", "安全账户是骗局吗", "屏幕共享怎么防范"])
def test_a_question_about_swindles_is_not_a_story(asked: str) -> None:
    heard = packaged_phrases().hear(asked)
    assert heard.enquiry
    assert heard.categories == ()


def test_a_story_told_as_a_question_is_still_a_story() -> None:
    assert "safe_account" in packaged_phrases().hear("对方让我转到安全账户，是不是骗子").categories


def test_spaces_and_length_do_not_hide_a_story() -> None:
    assert "safe_account" in packaged_phrases().hear("转到 安 全 账 户").categories
    assert packaged_phrases().hear("一" * 100_000).categories == ()


@pytest.mark.parametrize(
    "text", ["", "version: 1", "version: 1\nenquiry: '('\nstory: b\ncategories: {}", ": :", "[]"]
)
def test_a_damaged_list_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "phrases.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PhrasesInvalid):
        Phrases.load(path)
