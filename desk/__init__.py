"""Human hand-off: the queue, the agents, their console and call-back tickets."""

from desk.app import build_desk_app
from desk.dependencies import DeskDependencies
from desk.limits import DeskLimits
from desk.ports import HubPort
from desk.rules import DeskRules
from desk.service import DEMO_PASSWORD, Desk

__all__ = [
    "DEMO_PASSWORD",
    "Desk",
    "DeskDependencies",
    "DeskLimits",
    "DeskRules",
    "HubPort",
    "build_desk_app",
]
