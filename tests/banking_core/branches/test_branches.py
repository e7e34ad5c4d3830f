"""Branches: found by the words people use for a place, never one in the wrong city."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from banking_core.bank import Bank
from banking_core.branches import BranchDirectoryInvalid
from banking_core.branches.directory import read_directory
from banking_core.branches.places import distance_m
from banking_core.branches.service import hours_text
from banking_core.clock import ManualClock
from banking_core.storage import Database


@pytest.fixture
async def loaded(database: Database, bank: Bank) -> Bank:
    async with database.transaction() as session:
        await bank.branches.load(session)
    return bank


@pytest.mark.parametrize(
    ("place", "first", "city"),
    [
        ("望京附近", "北京望京支行", "北京"),
        ("望京SOHO旁边", "北京望京支行", "北京"),
        ("上海浦东", "上海分行营业部", "上海"),
        ("人民广场", "上海人民广场支行", "上海"),
        ("南京东路", "上海人民广场支行", "上海"),
        ("北京路", "广州北京路支行", "广州"),
        ("南京新街口", "南京新街口支行", "南京"),
        ("离武汉光谷最近的网点", "武汉光谷支行", "武汉"),
        ("成都 春熙路", "成都春熙路支行", "成都"),
        ("广州天河区", "广州分行营业部", "广州"),
        ("祖冲之路", "上海张江科技支行", "上海"),
        ("重庆大学", "重庆沙坪坝支行", "重庆"),
    ],
)
async def test_a_place_in_a_customers_words_finds_its_branch(
    database: Database, loaded: Bank, place: str, first: str, city: str
) -> None:
    async with database.snapshot() as session:
        found = await loaded.branches.search(session, place)
    assert found[0].name == first
    assert {branch.city for branch in found} == {city}
    assert {branch.matched for branch in found} == {"place"}


async def test_a_city_alone_gives_its_branches_before_its_machines(database: Database, loaded: Bank) -> None:
    async with database.snapshot() as session:
        found = await loaded.branches.search(session, "深圳市", limit=50)
    assert {branch.city for branch in found} == {"深圳"}
    assert {branch.matched for branch in found} == {"city"}
    kinds = [branch.kind for branch in found]
    assert kinds == sorted(kinds, key=lambda kind: kind != "branch")
    assert {"branch", "atm"} == set(kinds)


async def test_a_place_of_another_city_falls_back_to_the_city_named(database: Database, loaded: Bank) -> None:
    async with database.snapshot() as session:
        found = await loaded.branches.search(session, "上海望京")
    assert {(branch.city, branch.matched) for branch in found} == {("上海", "city")}


@pytest.mark.parametrize("place", ["火星", "拉萨", "!!!", "附近"])
async def test_an_unknown_place_finds_nothing_rather_than_something(
    database: Database, loaded: Bank, place: str
) -> None:
    async with database.snapshot() as session:
        assert await loaded.branches.search(session, place) == []


async def test_kind_and_service_narrow_the_search(database: Database, loaded: Bank) -> None:
    async with database.snapshot() as session:
        machines = await loaded.branches.search(session, "望京", "atm")
        exchange = await loaded.branches.search(session, "上海", limit=50, service="外币兑换")
        boxes = await loaded.branches.search(session, "上海莘庄", service="保险箱")
    assert [branch.name for branch in machines] == ["北京望京自助银行"]
    assert exchange
    assert all("外币兑换" in branch.services for branch in exchange)
    assert [branch.matched for branch in boxes] == ["city"]


@pytest.mark.parametrize(
    ("instant", "opened"),
    [
        (datetime(2026, 11, 2, 1, 0, tzinfo=UTC), True),  # Monday, 9:00
        (datetime(2026, 11, 2, 0, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 2, 9, 0, tzinfo=UTC), False),  # 17:00, closing time
        (datetime(2026, 11, 7, 1, 30, tzinfo=UTC), False),  # Saturday, 9:30
        (datetime(2026, 11, 7, 2, 0, tzinfo=UTC), True),  # Saturday, 10:00
        (datetime(2026, 11, 1, 17, 30, tzinfo=UTC), False),  # Monday 1:30 at the bank
    ],
)
async def test_open_now_follows_the_banks_own_time(
    database: Database, loaded: Bank, clock: ManualClock, instant: datetime, opened: bool
) -> None:
    start = clock.now()
    clock._now = instant  # ManualClock itself only runs forward
    async with database.snapshot() as session:
        branch, *_ = await loaded.branches.search(session, "望京", "branch")
        machine, *_ = await loaded.branches.search(session, "北京南站", "atm")
    clock._now = start
    assert branch.open_now is opened
    assert machine.open_now


@pytest.mark.parametrize(
    ("weekday", "weekend", "text"),
    [
        ("09:00-17:00", "10:00-16:00", "周一至周五 09:00-17:00，周末 10:00-16:00"),
        ("09:00-17:00", "closed", "周一至周五 09:00-17:00，周末 不营业"),
        ("24h", "24h", "24小时"),
        ("10:00-22:00", "10:00-22:00", "每天 10:00-22:00"),
    ],
)
def test_hours_read_like_a_sign_on_the_door(weekday: str, weekend: str, text: str) -> None:
    assert hours_text(weekday, weekend) == text


def test_the_packaged_directory_is_big_enough_and_every_row_complete() -> None:
    rows = read_directory()
    assert len(rows) >= 60
    assert len({row["city"] for row in rows}) >= 12
    assert {row["kind"] for row in rows} == {"branch", "atm"}
    assert len({row["code"] for row in rows}) == len({row["name"] for row in rows}) == len(rows)
    assert all(row["landmarks"] and row["services"] for row in rows)


async def test_loading_again_follows_the_file(database: Database, loaded: Bank, tmp_path: Path) -> None:
    path = tmp_path / "own.yml"
    path.write_text(
        "sets:\n"
        "  small: {kind: branch, weekday_hours: '09:00-12:00', weekend_hours: closed, services: [个人业务]}\n"
        "cities:\n"
        "  拉萨:\n"
        "    - {code: LS01, set: small, name: 拉萨支行, district: 城关区, address: 北京中路1号,\n"
        "       landmarks: [八廓街]}\n",
        encoding="utf-8",
    )
    async with database.transaction() as session:
        assert await loaded.branches.load(session, path) == 1
        assert await loaded.branches.load(session, path) == 1
        assert await loaded.branches.cities(session) == ["拉萨"]
        found = await loaded.branches.search(session, "八廓街")
    assert [branch.code for branch in found] == ["LS01"]


@pytest.mark.parametrize(
    "content",
    [
        "cities: [",
        "cities: 3",
        "cities: {上海: [{code: X1, kind: branch, name: n, district: d, address: a, landmarks: [], at: [31.2],"
        " services: [], weekday_hours: 24h, weekend_hours: closed}]}",
        "cities: {上海: [{code: X1, kind: branch, name: n, district: d, address: a, landmarks: [], at: [131.2, 31.2],"
        " services: [], weekday_hours: 24h, weekend_hours: closed}]}",
        "cities: {上海: [{code: X1}]}",
        "cities: {上海: [x]}",
        "cities: {上海: [{code: X1, set: nowhere, name: n, district: d, address: a, landmarks: []}]}",
        "cities: {上海: [{code: X1, kind: branch, name: n, district: d, address: a, landmarks: [],"
        " services: [], weekday_hours: '9-5', weekend_hours: closed}]}",
    ],
)
async def test_a_broken_directory_changes_nothing(
    database: Database, loaded: Bank, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "broken.yml"
    path.write_text(content, encoding="utf-8")
    async with database.transaction() as session:
        with pytest.raises(BranchDirectoryInvalid):
            await loaded.branches.load(session, path)
        assert "上海" in await loaded.branches.cities(session)


async def test_the_nearest_come_first_each_with_its_distance(database: Database, loaded: Bank) -> None:
    async with database.snapshot() as session:
        found = await loaded.branches.nearest(session, 31.2400, 121.5000)  # 陆家嘴
        assert found[0].code == "SH01" and found[0].distance_m is not None
        assert 600 < found[0].distance_m < 1100
        assert [b.distance_m for b in found] == sorted(b.distance_m or 0 for b in found)
        assert {branch.city for branch in found} == {"上海"}
        assert len(await loaded.branches.nearest(session, -89.9, 179.9, limit=100)) == 50


def test_every_branch_lies_in_its_city() -> None:
    rows = read_directory()
    for city in {row["city"] for row in rows}:
        places = [(row["latitude"], row["longitude"]) for row in rows if row["city"] == city]
        assert all(distance_m(places[0], place) < 60_000 for place in places), city


@pytest.mark.parametrize(
    ("here", "there", "way_m"),
    [
        ((31.0, 121.0), (31.0, 121.0), 0),
        ((0.0, 0.0), (0.0, 1.0), 111_195),
        ((90.0, 0.0), (-90.0, 0.0), 20_015_087),
        ((39.9087, 116.3975), (31.2304, 121.4737), 1_067_000),
    ],
)
def test_the_straight_way_is_that_on_the_globe(
    here: tuple[float, float], there: tuple[float, float], way_m: int
) -> None:
    assert distance_m(here, there) == pytest.approx(way_m, rel=0.005)
