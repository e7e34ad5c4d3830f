"""A demo bank for measuring: made once per moment, then copied, so that every script starts from the same money."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from banking_core.clock import ManualClock, bank_date
from banking_core.demo import seed_demo
from bot.assembly import Product, build_product
from bot.dialogue.registry import SkillRegistry
from bot.dialogue.understanding import Understander
from bot.settings import ROOT, Settings
from migrations.runner import upgrade

SECRET = SecretStr("for-measuring-only-no-real-customer-here")
DATABASES = ("bank.db", "sandbox.db")


def settings_for(folder: Path, **overrides: object) -> Settings:
    """Settings of a throw-away product whose data lies in `folder`."""
    values: dict[str, object] = {
        "data_dir": folder,
        "cache_dir": ROOT / "var" / "cache",
        "nlu_token": SECRET,
        "otp_key": SECRET,
        "log_level": "WARNING",
    }
    return Settings(**(values | overrides))  # type: ignore[arg-type]


async def fill(product: Product) -> None:
    """Demo customers and agents, unless they are there already."""
    await product.start()
    await seed_demo(product.database, product.bank, bank_date(product.clock.now()))
    async with product.database.transaction() as session:
        await product.desk.seed_demo_agents(session)


async def make_template(folder: Path, now: datetime) -> Path:
    """A folder with a migrated and filled demo bank as of `now`; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = settings_for(folder)
    await upgrade(settings.database_url, vault=settings.open_vault())
    product = build_product(settings, clock=ManualClock(now))
    await fill(product)
    await product.close()
    return folder


def copy_template(template: Path, folder: Path) -> None:
    """Copies the databases of a closed template and the keys of their sealed columns."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(template / "keys.json", folder)
    for name in DATABASES:
        for suffix in ("", "-wal"):
            source = template / f"{name}{suffix}"
            if source.exists():
                shutil.copyfile(source, folder / f"{name}{suffix}")


def open_copy(
    template: Path,
    folder: Path,
    now: datetime,
    understander: Understander,
    *,
    registry: SkillRegistry | None = None,
) -> Product:
    """A product over a fresh copy, with a clock that stands at `now`. Call `start()` and `close()`."""
    copy_template(template, folder)
    settings = settings_for(folder)
    return build_product(settings, clock=ManualClock(now), understander=understander, registry=registry)
