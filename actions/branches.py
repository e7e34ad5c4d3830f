"""Branches and cash machines."""

from __future__ import annotations

import re
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from actions.services import bank_of
from banking_core.branches.service import Branches, BranchInfo
from bot.dialogue.reading.types import Reading
from bot.dialogue.reply import Card, Reply
from bot.dialogue.skill import Accepted, Checked, Done, Manner, Skill, Slot, Turn
from bot.dialogue.state import Frame

BRANCH_FIND = "branch_find"
SHOWN_MAX = 5
NEAR_M_MAX = 30_000
_NEAR = re.compile(
    r"([\u4e00-\u9fff]{2,10}?)(?:附近|旁边|那边|这边|周边|周围|边上|一带|那儿|这里|哪里|哪儿|有没有|有|的)"
)
_STOCK = re.compile(
    r"请问|你好|您好|麻烦|帮我|帮忙|我想|我要|我在|想|查一下|找一下|看看|找|查|问一下|一下|最近|离我|离|近|的|掌柜|银行|网点|分行|支行|营业厅|营业部|"
    r"自助|取款机|提款机|存款机|柜员机|ATM|atm|机器|在哪里|在哪儿|在哪|哪里|哪儿|哪有|有没有|几点|开门|关门|下班|上班|营业|时间|周六|周日|周末|星期[一二三四五六日天]|"
    r"今天|明天|现在|附近|旁边|那边|这边|周边|有|吗|呢|啊|呀|吧|么|我|你们|咱们|开|取钱|存钱|办业务|办卡|最|个|家|电话|地址|怎么走|[，。？！,.?!\s]"
)
_BUSINESS = re.compile(
    r"收款|付款|扫一扫|余额|转账|明细|账单|充值|话费|缴费|密码|额度|贷款|理财|挂失"
)  # in no place's name
PLACES_SENT = frozenset({"wechat"})  # channels in which a place can be sent from the map


class PlaceSlot(Slot[str]):
    """Where to look."""

    takes_place = True

    def __init__(self) -> None:
        super().__init__(
            "place",
            "地点",
            question="您在哪个城市、哪一带？比如“上海陆家嘴”。",
            hint="说城市、区或者附近的地标都行。",
        )

    async def ask(self, turn: Turn, frame: Frame) -> Reply:
        """See `Slot.ask`; a place may be shown where the channel has a map."""
        return Reply(self.question + ("也可以直接发一个位置过来。" if turn.channel in PLACES_SENT else ""))

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """The model's places joined, else what is left of the sentence without its stock words."""
        places = [entity for entity in turn.heard.entities if entity.kind == "place"]
        if places:
            start, end = min(p.start for p in places), max(p.end for p in places)
            return [Reading(turn.text[start:end], start, end, turn.text[start:end])]
        rest = _STOCK.sub("", turn.text)
        if _BUSINESS.search(rest) or not 2 <= len(rest) <= 12 or (not asked and not _NEAR.search(turn.text)):
            return []
        at = turn.text.find(rest)
        return [Reading(rest, max(at, 0), len(turn.text) if at < 0 else at + len(rest), rest)]

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """Any place; the directory says whether it knows it."""
        return Accepted(raw, raw)


class KindSlot(Slot[str]):
    """A branch with people, or a machine."""

    def __init__(self) -> None:
        super().__init__("kind", "类型", question="找网点还是自助机？")

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """ATM words or branch words."""
        machine = re.search(r"ATM|atm|取款机|提款机|存款机|柜员机|自助|取钱|取现", turn.text)
        branch = re.search(r"网点|支行|分行|营业厅|柜台", turn.text)
        hit = machine or branch
        return [Reading("atm" if machine else "branch", hit.start(), hit.end(), hit[0])] if hit else []

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """branch or atm."""
        return Accepted(raw, {"branch": "网点", "atm": "自助机"}[raw])

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """Both."""
        return Accepted("", "都可以")


class BranchFindSkill(Skill):
    """附近的网点."""

    intent = BRANCH_FIND
    title = "找网点"
    manner = Manner(example="上海陆家嘴附近的网点", needs_login=False)
    slots = (PlaceSlot(), KindSlot())

    async def run(self, turn: Turn, frame: Frame) -> Done:
        """Up to five, best first, with opening hours."""
        place, kind = frame.values["place"], frame.values["kind"]
        reply = await branches_reply(turn.session, bank_of(turn).branches, place, kind or None, SHOWN_MAX)
        return Done(reply)


async def branches_reply(
    session: AsyncSession, branches: Branches, place: str, kind: Literal["branch", "atm"] | None, limit: int
) -> Reply:
    """What is near a place in words, best first; the cities where there is anything when nothing is."""
    found = await branches.search(session, place, kind, limit)
    if not found:
        cities = await branches.cities(session)
        return Reply(
            f"“{place}”我没有查到网点。我们在这些城市有网点：{'、'.join(cities)}。您换一个地方说说看？"
        )
    rows = tuple((b.name, b.address, _hours(b)) for b in found)
    card = Card(kind="branches", title=f"{place}的网点", columns=("名称", "地址", "营业时间"), rows=rows)
    return Reply(_sentence(place, found), card)


async def nearest_reply(
    session: AsyncSession,
    branches: Branches,
    place: tuple[float, float],
    label: str,
    limit: int,
) -> Reply:
    """What is nearest to a place in degrees (GCJ-02); by its words where the directory knows no degrees."""
    found = await branches.nearest(session, *place, limit)
    if not found:
        return await branches_reply(session, branches, label or "您所在的位置", None, limit)
    first = found[0]
    within = [branch for branch in found if (branch.distance_m or 0) <= NEAR_M_MAX]
    rows = tuple((b.name, _way(b), b.address, _hours(b)) for b in within or [first])
    card = Card(
        kind="branches",
        title="离您最近的网点",
        columns=("名称", "距离", "地址", "营业时间"),
        rows=rows,
        note="距离是直线距离，实际路程会长一些。",
    )
    where = "离您最近的是" if within else f"您附近{NEAR_M_MAX // 1000}公里内没有我们的网点，最近的是"
    return Reply(f"{where}{first.name}，{_way(first)}：{_found_at(first)}", card)


def _hours(branch: BranchInfo) -> str:
    """When it is open, for a table."""
    return f"{branch.hours_text}{'（营业中）' if branch.open_now else '（休息中）'}"


def _found_at(branch: BranchInfo) -> str:
    """Where it is and when it is open, as the end of a sentence."""
    state = "现在营业" if branch.open_now else "现在休息"
    return f"{branch.address}，{branch.hours_text}，{state}。"


def _way(branch: BranchInfo) -> str:
    way_m = branch.distance_m or 0
    return f"约{max(way_m, 10) // 10 * 10}米" if way_m < 1000 else f"约{way_m / 1000:.1f}公里"


def _sentence(place: str, found: list[BranchInfo]) -> str:
    first = found[0]
    near = f"“{place}”附近没有直接匹配的，同城有这些。" if first.matched == "city" and len(place) > 3 else ""
    return f"{near}找到{len(found)}处，先看{first.name}：{_found_at(first)}"
