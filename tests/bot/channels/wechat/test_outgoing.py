"""What we send is what `wechatpy` would send."""

from __future__ import annotations

from typing import Any

import pytest
import wechatpy
import xmltodict
from wechatpy import replies
from wechatpy.client.api import WeChatMessage

from bot.channels.wechat.messages import Message, Text, read_message
from bot.channels.wechat.outgoing import ImageOut, MenuOut, NewsOut, Out, TextOut, to_answer, to_json
from bot.channels.wechat.xml import parse_xml, write_xml
from tests.bot.channels.wechat.accounts import NOW, OPENID, text_xml

NEWS = NewsOut("安全页面", "请登录", "https://bank.example/wechat?a=1&b=2")
ARTICLE = {"title": NEWS.title, "description": NEWS.description, "url": NEWS.url, "image": ""}


class Recorder:
    """Stands where the oracle's client is and keeps what it would send."""

    def __init__(self) -> None:
        self.sent: dict[str, Any] = {}

    def post(self, _path: str, data: dict[str, Any]) -> None:
        self.sent = data


def oracle_json(call: str, *arguments: Any) -> dict[str, Any]:
    recorder = Recorder()
    api = WeChatMessage()
    api._client = recorder
    getattr(api, call)(OPENID, *arguments)
    return recorder.sent


@pytest.mark.parametrize(
    ("out", "theirs"),
    [
        (TextOut("余额<5&6>"), ("send_text", "余额<5&6>")),
        (ImageOut("m1"), ("send_image", "m1")),
        (NEWS, ("send_articles", [ARTICLE])),
    ],
)
def test_customer_service_messages_are_the_oracle_s(out: Out, theirs: tuple[Any, ...]) -> None:
    assert to_json(OPENID, out) == oracle_json(*theirs)


def test_a_menu_message_has_the_shape_that_is_documented() -> None:
    assert to_json(OPENID, MenuOut("满意吗", (("1", "满意"),))) == {
        "touser": OPENID,
        "msgtype": "msgmenu",
        "msgmenu": {"head_content": "满意吗", "list": [{"id": "1", "content": "满意"}], "tail_content": ""},
    }


@pytest.mark.parametrize(
    ("out", "theirs"),
    [
        (TextOut("余额<5&6> ]]> 元"), lambda to: replies.TextReply(message=to, content="余额<5&6> ]]> 元")),
        (ImageOut("m1"), lambda to: replies.ImageReply(message=to, media_id="m1")),
        (NEWS, lambda to: replies.ArticlesReply(message=to, articles=[ARTICLE])),
    ],
    ids=["text", "image", "news"],
)
def test_answers_are_the_oracle_s(out: Out, theirs: Any) -> None:
    xml = text_xml()
    message = read_message(parse_xml(xml.encode()))
    ours = write_xml(to_answer(message, out, NOW))
    if isinstance(out, TextOut):
        assert parse_xml(ours.encode())["Content"] == out.text  # the oracle itself breaks on ]]>
        out = TextOut(out.text.replace("]]>", ""))
        ours = write_xml(to_answer(message, out, NOW))
    oracle = theirs(wechatpy.parse_message(xml))
    oracle.time = int(NOW.timestamp())
    rendered = oracle.render().replace("]]> 元]]>", " 元]]>")
    assert xmltodict.parse(ours)["xml"] == xmltodict.parse(rendered)["xml"]


def test_a_menu_is_answered_in_words() -> None:
    message = Message("k", OPENID, "gh_bank", 0, Text("好"))
    assert to_answer(message, MenuOut("满意吗（可以回复：满意）", (("1", "满意"),)), NOW)["MsgType"] == "text"
