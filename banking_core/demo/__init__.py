"""A demo bank: invented people with two believable years behind them."""

from banking_core.demo.logins import DemoLogin, demo_logins
from banking_core.demo.seed import SEED_LOCK, SeedReport, seed_demo

__all__ = ["SEED_LOCK", "DemoLogin", "SeedReport", "demo_logins", "seed_demo"]
