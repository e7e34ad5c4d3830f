"""The audit trail as whoever leads or audits reads it at the desk: in words, page by page, never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import AuditRecord
from desk.models import DeskAgent
from desk.presences import BREAK_BEGAN, BREAK_ENDED, BREAK_TEXT

KIND_TEXT: Final = MappingProxyType(
    {"customer": "客户", "agent": "坐席", "system": "系统", "operator": "运维"}
)
AREAS: Final = MappingProxyType(  # by the beginning of an action
    {
        "": "全部",
        BREAK_BEGAN.removesuffix("_began"): "小休",
        "agent.": "上下班和小休",
        "conversation.": "会话",
        "desk.": "客户资料、常用语、人员",
        "ticket": "工单",
        "complaint": "投诉",
        "order.": "订单",
        "board.": "看板",
        "audit.": "审计",
    }
)
ACTION_TEXT: Final = MappingProxyType(
    {
        "agent.logged_in": "登录",
        "agent.logged_out": "退出",
        "agent.locked": "锁定坐席台",
        "agent.unlocked": "解锁坐席台",
        BREAK_BEGAN: "开始小休",
        BREAK_ENDED: "结束小休",
        "conversation.claimed": "接待客户",
        "conversation.seen_waiting": "看到排队的客户",
        "conversation.read": "打开对话",
        "conversation.read_on": "接着看对话",
        "conversation.watched": "旁观对话",
        "conversation.watched_on": "接着旁观",
        "conversation.picture_seen": "看客户发来的图片",
        "conversation.noted": "写备注",
        "conversation.whispered": "提示坐席",
        "conversation.proposed": "替客户填写",
        "conversation.vouched": "核实本人，放行业务",
        "order.vouched": "业务经人工核实",
        "conversation.transfer_asked": "要求转接",
        "conversation.transferred": "转接",
        "conversation.taken_over": "主管接手",
        "conversation.handed_back": "交回小掌柜",
        "conversation.requeued": "客户回到队列",
        "conversation.closed": "结束服务",
        "desk.card_viewed": "看客户资料",
        "desk.name_unmasked": "看客户姓名",
        "desk.phone_unmasked": "看客户手机号",
        "desk.agent_added": "新增坐席",
        "desk.agent_changed": "修改坐席",
        "desk.agent_password_set": "重设坐席密码",
        "desk.reply_added": "新增常用语",
        "desk.reply_changed": "修改常用语",
        "desk.reply_moved": "调整常用语顺序",
        "desk.reply_retired": "停用常用语",
        "desk.reply_restored": "恢复常用语",
        "desk.reply_shared": "保存共享常用语",
        "desk.reply_dropped": "删除共享常用语",
        "tickets.read": "看工单列表",
        "ticket.read": "看到工单",
        "ticket.phone_read": "看工单电话",
        "ticket.put_back": "放回工单",
        "ticket.finished": "办结工单",
        "complaints.read": "看投诉列表",
        "complaint.read": "打开投诉",
        "complaint.filed": "提交投诉",
        "complaint.taken": "认领投诉",
        "complaint.assigned": "分派投诉",
        "complaint.classified": "改投诉类别",
        "complaint.noted": "记投诉调查",
        "complaint.answered": "答复投诉",
        "complaint.judged": "评价投诉答复",
        "complaint.reopened": "投诉复核",
        "board.read": "看每日看板",
        "board.exported": "导出看板",
        "audit.read": "查审计记录",
    }
)
OBJECT_TEXT: Final = MappingProxyType(
    {"conversation": "会话", "ticket": "工单", "complaint": "投诉", "reply": "常用语", "agent": "坐席"}
)
DETAIL_TEXT: Final = MappingProxyType(
    {
        "reason": "原因",
        "seconds": "时长",
        "assignee_id": "处理人",
        "scope": "给谁用",
        "shortcut": "快捷词",
        "text": "内容",
        "position": "第几条",
        "day": "日期",
        "status": "状态",
        "numbers": "编号",
        "is_owner": "是本人",
        "role": "角色",
    }
)
DETAIL_CHARS_MAX = 120


async def agent_names(session: AsyncSession) -> Mapping[str, str]:
    """Names of everybody who works or worked here, by id."""
    rows = await session.execute(select(DeskAgent.id, DeskAgent.display_name))
    return {str(agent_id): str(name) for agent_id, name in rows.all()}


def record_view(record: AuditRecord, names: Mapping[str, str]) -> dict[str, Any]:
    """One act in words. A customer is an opaque id; values were masked when they were noted."""
    known = names.get(record.actor_id) if record.actor_kind == "agent" else None
    kind = OBJECT_TEXT.get(record.object_kind, record.object_kind)
    thing = names.get(record.object_id) if record.object_kind == "agent" else None
    return {
        "id": record.id,
        "at": record.at.isoformat(),
        "who": known or f"{KIND_TEXT.get(record.actor_kind, record.actor_kind)} {record.actor_id}",
        "action": record.action,
        "action_text": ACTION_TEXT.get(record.action, record.action),
        "allowed": record.allowed,
        "object": f"{kind} {thing or record.object_id}".strip(),
        "customer": record.customer_id or "",
        "address": record.address,
        "before": _details(record.before, names),
        "after": _details(record.after, names),
    }


def _details(values: Mapping[str, Any] | None, names: Mapping[str, str]) -> list[list[str]]:
    return [[DETAIL_TEXT.get(key, key), _shown(key, value, names)] for key, value in (values or {}).items()]


def _shown(key: str, value: Any, names: Mapping[str, str]) -> str:
    if key == "seconds" and isinstance(value, int):
        return f"{value // 60}分{value % 60:02d}秒"
    if key == "reason":
        return BREAK_TEXT.get(str(value), str(value))
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = "、".join(map(str, value))
    text = names.get(str(value), str(value))
    return text if len(text) <= DETAIL_CHARS_MAX else f"{text[:DETAIL_CHARS_MAX]}…"
