"""A simulator of Tencent on a local port, and a database to share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from banking_core.clock import ManualClock
from banking_core.storage import Base, Database
from bot.channels.wechat.api import WechatApi
from bot.channels.wechat.simulator import Tencent, build_simulator_app
from migrations.model_modules import load_metadata
from tests.bot.channels.wechat.accounts import NOW, OPENID, account
from tests.keys import vault


@dataclass
class Outside:
    """Tencent, and our way to it."""

    tencent: Tencent
    api: WechatApi
    database: Database
    clock: ManualClock
    url: str

    def another_api(self) -> WechatApi:
        """That of another process, on the same database."""
        return WechatApi(account(), self.database, self.clock, url=self.url)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'bank.db'}", vault=vault())
    load_metadata()
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()


@pytest.fixture
async def outside(database: Database, clock: ManualClock) -> AsyncIterator[Outside]:
    tencent = Tencent(account(), clock)
    tencent.line(OPENID)
    server = TestServer(build_simulator_app(tencent))
    await server.start_server()
    url = str(server.make_url("/")).rstrip("/")
    api = WechatApi(account(), database, clock, url=url)
    yield Outside(tencent, api, database, clock, url)
    await api.close()
    await server.close()
