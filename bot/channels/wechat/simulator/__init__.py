"""A simulator of Tencent's side: it posts callbacks as Tencent does and answers API calls with its limits and errors.

For tests, and for trying the channel without an account (`zhanggui wechat simulate`). Nothing here is Tencent.
"""

from bot.channels.wechat.simulator.api import build_simulator_app
from bot.channels.wechat.simulator.follower import Follower
from bot.channels.wechat.simulator.tencent import Shown, Tencent
from bot.channels.wechat.simulator.voice import recorded

__all__ = ["Follower", "Shown", "Tencent", "build_simulator_app", "recorded"]
