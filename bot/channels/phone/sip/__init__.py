"""SIP and RTP, over `aiosipua` and `aiortp`, which nothing outside this package knows."""

from bot.channels.phone.sip.line import SipLine, SipSettings

__all__ = ["SipLine", "SipSettings"]
