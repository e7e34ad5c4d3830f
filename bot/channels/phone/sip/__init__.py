"""SIP and RTP, over `aiosipua` and `aiortp`, which nothing outside this package knows."""

from bot.channels.phone.sip.line import SipLine, SipSettings
from bot.channels.phone.sip.trunk import TrunkSettings

__all__ = ["SipLine", "SipSettings", "TrunkSettings"]
