"""What the hub holds about a customer."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.privacy.holding import Holding
from banking_core.privacy.holdings import through
from banking_core.privacy.words import CHANNELS
from bot.conversation.models import AgentService, Conversation, CustomerPicture, LiveCall, Message, SideNote

SENDERS = {"customer": "客户", "bot": "小掌柜", "agent": "坐席", "system": "系统"}
ENDS = {
    "closed": "结束",
    "handed_back": "交回小掌柜",
    "transferred": "转给同事",
    "taken_over": "主管接手",
    "requeued": "重新排队",
}
NOTE_KINDS = {"note": "备注", "whisper": "主管提示", "transfer": "转交说明", "summary": "小结"}
CONVERSATION_HOLDINGS = (
    Holding(
        "聊天记录",
        Message,
        {
            "created_at": "时间",
            "sender": "谁",
            "sender_name": "名字",
            "text": "内容",
            "card": "卡片",
            "choices": "选项",
        },
        names={"sender": SENDERS},
        owned=through(Message, "conversation_id", Conversation),
        on_erase="delete",
        order_by="created_at",
    ),
    Holding(
        "发来的图片",
        CustomerPicture,
        {"created_at": "时间", "kind": "格式", "content": "内容"},
        owned=through(CustomerPicture, "conversation_id", Conversation),
        on_erase="delete",
        order_by="created_at",
    ),
    Holding(
        "进行中的电话",
        LiveCall,
        {},
        owned=through(LiveCall, "conversation_id", Conversation),
        on_erase="delete",
    ),
    Holding(
        "坐席备注",
        SideNote,
        {"created_at": "时间", "kind": "种类", "author_name": "谁", "text": "内容"},
        names={"kind": NOTE_KINDS},
        owned=through(SideNote, "conversation_id", Conversation),
        on_erase="delete",
        order_by="created_at",
    ),
    Holding(
        "人工服务",
        AgentService,
        {
            "agent_name": "坐席",
            "reason": "转人工原因",
            "began_at": "开始时间",
            "ended_at": "结束时间",
            "ended_how": "怎么结束",
            "score": "评分",
            "comment": "评价",
            "rated_at": "评价时间",
        },
        names={"ended_how": ENDS},
        owned=through(AgentService, "conversation_id", Conversation),
        on_erase={"comment": None},
        order_by="began_at",
    ),
    Holding(
        "会话",
        Conversation,
        {
            "channel": "渠道",
            "created_at": "开始时间",
            "verified_how": "验证方式",
            "verified_at": "验证时间",
            "agent_name": "坐席",
            "handoff_reason": "转人工原因",
            "rating": "评分",
            "rating_comment": "评价",
            "closed_at": "结束时间",
        },
        names={"channel": CHANNELS},
        on_erase={
            "state": None,
            "challenge": None,
            "proposal": None,
            "rating_comment": None,
            "owner": "closed",
        },
        order_by="created_at",
    ),
)


async def conversation_obstacle(session: AsyncSession, customer_id: str) -> Sequence[str]:
    """A conversation that a human has or is asked for."""
    open_ = await session.scalar(
        select(Conversation.id)
        .where(Conversation.customer_id == customer_id, Conversation.owner.in_(("queue", "agent")))
        .limit(1)
    )
    return ["人工服务还没有结束"] if open_ is not None else []
