"""The desk sees how many messages WeChat still lets through."""

from __future__ import annotations

from bot.assembly import Product
from bot.channels.wechat import contacts
from bot.channels.wechat.reach import WechatReach
from tests.bot.conversation.talking import product

__all__ = ["product"]


async def test_the_quota_counts_down_with_the_follower_s_window_and_other_channels_have_none(
    product: Product,
) -> None:
    clock, reach = product.clock, WechatReach(product.clock)
    contact_id = await contacts.ensure(
        product.database, product.hub, "oDF3iYx0ro3_7jD4HFRDfrjdCM58", clock.now()
    )
    async with product.database.transaction() as session:
        contact = await contacts.locked(session, contact_id)
        contacts.grant(contact, clock.now(), wrote=True)
        contact.quota_left -= 2
        conversation_id = contact.conversation_id
    elsewhere = await product.hub.open("web")
    async with product.database.snapshot() as session:
        assert await reach.left(session, conversation_id) == 3
        clock.advance(seconds=48 * 3600)  # type: ignore[attr-defined]
        assert await reach.left(session, conversation_id) == 0
        assert await reach.left(session, elsewhere) is None
