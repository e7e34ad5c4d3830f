"""The picture of a receiving code is for the conversation it was shown in, and for nobody else; what a visitor shows is
read or refused, and never kept.
"""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from bot.conversation.scans import FOREIGN, NO_CODE, PICTURE_OF_CODE, SEVERAL, UNREADABLE
from bot.surfaces.codes import code_png

LINK = "https://bank.example/?pay=bcdfghjklmnpqrstwxyzbcdfgh"
CARD = {
    "kind": "code",
    "title": "我的收款码",
    "facts": [],
    "columns": [],
    "rows": [],
    "note": "",
    "code": LINK,
}


async def shown(site, visitor):
    """The assistant has shown a code; gives its number in the log."""
    await visitor.arrive()
    talk = list(site.hub.talks.values())[-1]
    site.hub.say(talk.id, "system", "您好")
    return site.hub.say(talk.id, "bot", "这是您的收款码。", card=CARD).seq


async def status(visitor, path):
    async with visitor.http.get(path) as answer:
        return answer.status


async def test_the_picture_is_that_of_the_card(site):
    visitor = site.visitor()
    seq = await shown(site, visitor)
    async with visitor.http.get(f"/chat/code/{seq}") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
        assert await answer.read() == code_png(LINK)
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_nobody_else_gets_it_and_no_other_number_is_one(site):
    owner, other, stranger = site.visitor(), site.visitor(), site.visitor()
    seq = await shown(site, owner)
    await other.arrive()
    assert await status(other, f"/chat/code/{seq}") == 404
    assert await status(stranger, f"/chat/code/{seq}") == 401
    for number in ("0", "1", str(seq - 1), str(seq + 1), "-1", "٣", "9" * 30, "x"):
        assert await status(owner, f"/chat/code/{number}") == 404, number


async def show(visitor, picture, *, kind="image/png", client_id="client-0001", **headers):
    sent = {"Origin": visitor.origin, "Content-Type": kind, **headers}
    path = f"/api/scan?client_id={client_id}"
    async with visitor.http.post(path, data=BytesIO(picture), headers=sent) as answer:
        return answer.status, await answer.json()


def blank(width, height, mode="L"):
    file = BytesIO()
    Image.new(mode, (width, height), "white").save(file, "PNG")
    return file.getvalue()


def side_by_side(*links):
    pictures = [Image.open(BytesIO(code_png(link))) for link in links]
    both = Image.new("RGB", (sum(one.width for one in pictures), pictures[0].height), "white")
    at = 0
    for one in pictures:
        both.paste(one, (at, 0))
        at += one.width
    file = BytesIO()
    both.save(file, "JPEG")
    return file.getvalue()


async def test_a_code_in_a_picture_is_told_to_the_assistant_once(site):
    visitor = site.visitor()
    me = await visitor.arrive()
    for _ in range(2):
        assert await show(visitor, code_png(LINK)) == (200, {"ok": True})
    [inbound] = site.hub.inbound[:1]
    assert (inbound.conversation_id, inbound.text) == (me["conversation_id"], "[收款码]" + LINK[-26:])
    assert {each.channel_message_id for each in site.hub.inbound} == {"client-0001"}


@pytest.mark.parametrize(
    ("picture", "kind", "told"),
    [
        (code_png("https://qr.alipay.com/fkx123"), "image/png", "这是支付宝的码"),
        (code_png("wxp://f2f0abc"), "image/png", "这是微信的码"),
        (code_png("https://evil.example/win"), "image/png", FOREIGN),
        (code_png("确认"), "image/png", FOREIGN),
        (side_by_side(LINK, LINK[:-1] + "z"), "image/jpeg", SEVERAL),
        (blank(300, 300), "image/png", NO_CODE),
    ],
)
async def test_any_other_picture_gets_one_sentence_and_none_of_its_words_are_the_customer_s(
    site, picture, kind, told
):
    visitor = site.visitor()
    await visitor.arrive()
    assert await show(visitor, picture, kind=kind) == (200, {"ok": True})
    [talk] = site.hub.talks.values()
    assert [view.sender for view in talk.log] == ["customer", "bot"]
    assert talk.log[0].text == PICTURE_OF_CODE and talk.log[1].text.startswith(told)
    assert site.hub.inbound == []


@pytest.mark.parametrize(
    ("picture", "kind"),
    [
        (blank(9000, 9000), "image/png"),  # 81 million pixels in a few kilobytes
        (code_png(LINK)[:700], "image/png"),
        (b"\x89PNG\r\n\x1a\n" + bytes(5000), "image/png"),
        (b"\xff\xd8\xff" + bytes(5000), "image/jpeg"),
        (b"GIF89a" + bytes(100), "image/png"),
        (b"<svg/>", "image/svg+xml"),
        (code_png(LINK), "text/plain"),
        (b"", "image/png"),
        (code_png(LINK) + bytes(4 * 1024 * 1024), "image/png"),
    ],
)
async def test_what_is_no_picture_or_a_trap_is_refused_in_one_sentence(site, picture, kind):
    visitor = site.visitor()
    await visitor.arrive()
    code, body = await show(visitor, picture, kind=kind)
    assert (code, body["error"]) == (400, {"code": "no_picture", "text": UNREADABLE})
    [talk] = site.hub.talks.values()
    assert talk.log == [] and site.hub.inbound == []


async def test_pictures_come_from_our_page_with_a_session_and_not_too_fast(site):
    visitor, stranger = site.visitor(), site.visitor()
    await visitor.arrive()
    assert (await show(stranger, b""))[0] == 401
    assert (await show(visitor, b"", Origin="https://evil.example"))[0] == 403
    assert (await show(visitor, b"", client_id="x"))[1]["error"]["code"] == "bad_request"
    answers = [await show(visitor, b"") for _ in range(5)]
    assert answers[-1][1]["error"]["code"] == "too_fast"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_picture_falsely_said_to_be_compressed_is_none(site, coding):
    visitor = site.visitor()
    await visitor.arrive()
    code, body = await show(visitor, b"nothing", **{"Content-Encoding": coding})
    assert (code, body["error"]["code"]) == (400, "no_picture")
