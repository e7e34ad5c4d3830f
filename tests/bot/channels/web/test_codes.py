"""The picture of a receiving code is for the conversation it was shown in, and for nobody else."""

from __future__ import annotations

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
