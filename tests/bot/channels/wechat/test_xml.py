"""Tencent's XML is read as `wechatpy` reads it; hostile XML is refused at once."""

from __future__ import annotations

import pytest
import wechatpy
import xmltodict
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.wechat.errors import XmlRefused
from bot.channels.wechat.messages import (
    Click,
    Image,
    Link,
    Location,
    Other,
    Scan,
    Subscribe,
    TemplateSent,
    Text,
    Unsubscribe,
    View,
    Voice,
    read_message,
)
from bot.channels.wechat.xml import BODY_BYTES_MAX, parse_xml, write_xml
from tests.bot.channels.wechat.accounts import NOW, OPENID, text_xml

HEAD = (
    f"<ToUserName><![CDATA[gh_bank]]></ToUserName><FromUserName><![CDATA[{OPENID}]]></FromUserName>"
    f"<CreateTime>{int(NOW.timestamp())}</CreateTime>"
)
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><xml><Content>&i;</Content></xml>"
)
HOSTILE = {
    "bomb": BOMB.encode(),
    "a file": b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><Content>&f;</Content></xml>',
    "an address": b'<!DOCTYPE x SYSTEM "http://evil.example/x.dtd"><xml><A>1</A></xml>',
    "a parameter entity": b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://evil.example">%p;]><xml><A>1</A></xml>',
    "a bare document type": b"<!DOCTYPE xml><xml><A>1</A></xml>",
    "an instruction": b'<?xml-stylesheet href="http://evil.example"?><xml><A>1</A></xml>',
    "an unknown entity": b"<xml><A>&nbsp;</A></xml>",
    "UTF-16": '<?xml version="1.0" encoding="utf-16"?><xml><A>1</A></xml>'.encode("utf-16"),
    "UTF-7 named": b'<?xml version="1.0" encoding="utf-7"?><xml><A>1</A></xml>',
    "GBK": '<?xml version="1.0" encoding="gbk"?><xml><A>钱</A></xml>'.encode("gbk"),
    "GBK named, UTF-8 sent": '<?xml version="1.0" encoding="gbk"?><xml><A>钱</A></xml>'.encode(),
    "broken UTF-8": b"<xml><A>\xff\xfe</A></xml>",
    "a half character": b"<xml><A>\xed\xa0\x80</A></xml>",
    "NUL": b"<xml><A>\x00</A></xml>",
    "a control character": b"<xml><A>&#1;</A></xml>",
    "deep": b"<xml>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</xml>",
    "wide": b"<xml>" + b"<a/>" * 5000 + b"</xml>",
    "large": b"<xml><A>" + b"x" * BODY_BYTES_MAX + b"</A></xml>",
    "twice": b"<xml><FromUserName>a</FromUserName><FromUserName>b</FromUserName></xml>",
    "attributes": b'<xml a="1"><A>1</A></xml>',
    "two roots": b"<xml><A>1</A></xml><xml><A>1</A></xml>",
    "another root": b"<soap><A>1</A></soap>",
    "no fields": b"<xml>text</xml>",
    "nothing": b"",
    "JSON": b'{"Content": "x"}',
    "unclosed": b"<xml><A>1</A>",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_xml_is_refused(body: bytes) -> None:
    with pytest.raises(XmlRefused):
        parse_xml(body)


@settings(derandomize=True, deadline=None)
@given(
    st.one_of(st.binary(max_size=300), st.text("<>&;/!-[]xmlCDAT\"'= a?%钱\n", max_size=200).map(str.encode))
)
def test_no_bytes_are_a_fault(body: bytes) -> None:
    try:
        read_message(parse_xml(body))
    except XmlRefused:
        return


tags = st.sampled_from(
    ["MsgType", "Event", "EventKey", "MsgId", "MsgID", "Content", "FromUserName", "ToUserName"]
)
more = st.sampled_from(
    ["CreateTime", "Location_X", "Location_Y", "MediaId", "Format", "bizmsgmenuid", "Label"]
)
values = st.one_of(
    st.sampled_from(
        ["text", "event", "voice", "location", "image", "link", "scan", "subscribe", "1", "-1", "nan"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30),
    st.dictionaries(st.sampled_from(["a", "item"]), st.just("x"), min_size=1, max_size=2),
)


@settings(derandomize=True, deadline=None)
@given(st.dictionaries(st.one_of(tags, more), values, max_size=9))
def test_no_field_of_any_kind_is_a_fault(fields: dict[str, object]) -> None:
    try:
        message = read_message(parse_xml(write_xml(fields).encode()))
    except XmlRefused:
        return
    assert message.openid == fields["FromUserName"]


@settings(derandomize=True, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_what_is_written_is_read_back_by_us_and_by_the_oracle(content: str) -> None:
    written = write_xml(
        {"Content": content, "CreateTime": 5, "Articles": [{"Title": content}, {"Title": "b"}]}
    )
    fields = parse_xml(written.encode())
    assert fields["Content"] == content
    assert fields["Articles"]["item"][0].get("Title", "") == content
    assert (xmltodict.parse(written)["xml"]["Content"] or "").strip() == content.strip()


CASES = {
    "text": ("<MsgType>text</MsgType><Content>你好 &lt;b&gt;</Content><MsgId>1</MsgId>", Text("你好 <b>")),
    "menu": (
        "<MsgType>text</MsgType><Content>确认</Content><bizmsgmenuid>7.0</bizmsgmenuid><MsgId>1</MsgId>",
        Text("确认", "7.0"),
    ),
    "image": (
        "<MsgType>image</MsgType><PicUrl>http://mmbiz.example/1</PicUrl><MediaId>m1</MediaId><MsgId>1</MsgId>",
        Image("m1", "http://mmbiz.example/1"),
    ),
    "voice": (
        "<MsgType>voice</MsgType><MediaId>m2</MediaId><Format>amr</Format><Recognition/><MsgId>1</MsgId>",
        Voice("m2", "amr", ""),
    ),
    "location": (
        "<MsgType>location</MsgType><Location_X>31.24</Location_X><Location_Y>121.50</Location_Y>"
        "<Scale>15</Scale><Label>上海市浦东新区世纪大道</Label><MsgId>1</MsgId>",
        Location(31.24, 121.5, "上海市浦东新区世纪大道"),
    ),
    "link": (
        "<MsgType>link</MsgType><Title>t</Title><Description>d</Description><Url>https://a.example</Url><MsgId>1</MsgId>",
        Link("t", "d", "https://a.example"),
    ),
    "video": ("<MsgType>video</MsgType><MediaId>m</MediaId><MsgId>1</MsgId>", Other("video")),
    "subscribe": ("<MsgType>event</MsgType><Event>subscribe</Event><EventKey></EventKey>", Subscribe("")),
    "subscribe by scan": (
        "<MsgType>event</MsgType><Event>subscribe</Event><EventKey>qrscene_9</EventKey><Ticket>T</Ticket>",
        Subscribe("9"),
    ),
    "unsubscribe": ("<MsgType>event</MsgType><Event>unsubscribe</Event><EventKey/>", Unsubscribe()),
    "scan": (
        "<MsgType>event</MsgType><Event>SCAN</Event><EventKey>9</EventKey><Ticket>T</Ticket>",
        Scan("9"),
    ),
    "click": ("<MsgType>event</MsgType><Event>CLICK</Event><EventKey>查余额</EventKey>", Click("查余额")),
    "view": (
        "<MsgType>event</MsgType><Event>VIEW</Event><EventKey>https://a.example</EventKey>",
        View("https://a.example"),
    ),
    "template": (
        "<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>200</MsgID><Status>success</Status>",
        TemplateSent("200", "success"),
    ),
    "unknown event": (
        "<MsgType>event</MsgType><Event>wifi_connected</Event>",
        Other("wifi_connected", is_event=True),
    ),
}
ORACLE_NAMES = {"video": "video", "subscribe by scan": "subscribe_scan"}


@pytest.mark.parametrize("name", CASES)
def test_every_kind_is_read_as_the_oracle_reads_it(name: str) -> None:
    inside, expected = CASES[name]
    xml = f"<xml>{HEAD}{inside}</xml>"
    message = read_message(parse_xml(xml.encode()))
    assert message.content == expected
    oracle = wechatpy.parse_message(xml)
    assert (message.openid, message.account) == (oracle.source, oracle.target)
    assert message.sent_at_s == int(NOW.timestamp())
    seen = {
        Text: lambda: oracle.content == message.content.content,
        Image: lambda: (oracle.media_id, oracle.image) == (message.content.media_id, message.content.url),
        Voice: lambda: (oracle.media_id, oracle.format) == (message.content.media_id, message.content.format),
        Location: lambda: (
            (float(oracle.location_x), float(oracle.location_y), oracle.label)
            == (message.content.latitude, message.content.longitude, message.content.label)
        ),
        Link: lambda: (oracle.title, oracle.url) == (message.content.title, message.content.url),
        Subscribe: lambda: str(getattr(oracle, "scene_id", "") or "") == message.content.scene,
        Scan: lambda: str(oracle.scene_id) == message.content.scene,
        Click: lambda: oracle.key == message.content.key,
        View: lambda: oracle.url == message.content.url,
        TemplateSent: lambda: oracle.status == message.content.status,
    }.get(type(message.content))
    assert seen is None or seen()


def test_every_try_of_a_message_has_one_key_and_no_two_messages_share_it() -> None:
    def key(xml: str) -> str:
        return read_message(parse_xml(xml.encode())).key

    assert key(text_xml("a", 1)) == key(text_xml("a", 1)) != key(text_xml("a", 2))
    assert key(text_xml("a", 1)) != key(text_xml("a", 1, openid="o-another"))
    click = f"<xml>{HEAD}{CASES['click'][0]}</xml>"
    later = click.replace(str(int(NOW.timestamp())), str(int(NOW.timestamp()) + 1))
    scan = f"<xml>{HEAD}{CASES['scan'][0]}</xml>"
    assert len({key(click), key(later), key(scan)}) == 3 and key(click) == key(click)
