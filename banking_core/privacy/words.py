"""Words for coded values in the copy a person is given."""

from __future__ import annotations

from collections.abc import Mapping

from banking_core.cards.models import KIND_NAMES as CARD_KINDS
from banking_core.cards.models import STATUS_NAMES as CARD_STATUSES
from banking_core.living.models import BILLER_NAMES
from banking_core.locks.models import SCOPE_NAMES
from banking_core.statements.vocabulary import CATEGORY_NAMES

Names = Mapping[str, str]

CHANNELS: Names = {
    "web": "网页",
    "wechat": "微信公众号",
    "phone": "电话",
    "voice": "电话",
    "api": "开放接口",
    "desk": "客服工作台",
    "terminal": "终端",
    "bank": "银行",
    "cli": "运维",
}
CUSTOMER: Mapping[str, Names] = {
    "level": {"standard": "普通客户", "gold": "金卡客户", "vip": "贵宾客户"},
    "status": {"active": "正常", "closed": "已注销"},
}
ACCOUNT: Mapping[str, Names] = {
    "kind": {"current": "活期", "deposit": "存款", "credit": "信用卡"},
    "status": {"active": "正常", "frozen": "已冻结", "closed": "已销户"},
}
CARD: Mapping[str, Names] = {"kind": CARD_KINDS, "status": CARD_STATUSES}
BILLER: Mapping[str, Names] = {"biller": BILLER_NAMES}
VOICE_OUTCOMES: Names = {
    "ok": "成功",
    "enrolled": "已录下",
    "fault": "没有录清楚",
    "late": "已过期",
    "wrong_digits": "数字不对",
    "wrong_voice": "声音不符",
    "replayed": "重放录音",
    "another_voice": "声音前后不同",
}
VOICE: Mapping[str, Names] = {"outcome": VOICE_OUTCOMES, "channel": CHANNELS}
SECURITY: Mapping[str, Names] = {
    "kind": {
        "login_ok": "登录成功",
        "login_password_ok": "密码正确",
        "login_password_wrong": "密码错误",
        "login_locked": "登录暂停",
        "login_while_locked": "暂停期间尝试登录",
        "login_proof_refused": "验证没有通过",
        "login_refused": "拒绝登录",
        "otp_sent": "发送验证码",
        "otp_tried": "输入验证码",
        "totp_tried": "输入动态口令",
        "totp_recovery": "使用恢复码",
        "totp_enrolled": "绑定动态口令",
        "totp_unbound": "解绑动态口令",
        "totp_recovery_codes": "生成恢复码",
        "password_set": "设置登录密码",
        "recovery_tried": "找回密码",
        "device_bound": "绑定设备",
        "device_trusted": "信任设备",
        "device_unbound": "解绑设备",
        "devices_distrusted": "取消信任全部设备",
        "session_revoked": "结束一次登录",
        "sessions_ended": "结束其他登录",
        "voice_explained": "说明声纹",
        "voice_agreed": "同意声纹",
        "voice_enrolled": "开通声纹",
        "voice_changed": "重新录制声纹",
        "voice_enrolment_failed": "没有录成声纹",
        "voice_tried": "声纹核实",
        "voice_adapted": "声纹自动更新",
        "voice_drifted": "声纹需要重录",
        "voice_suspected": "来电的声音不是本人",
        "voice_trusted": "人工核实是本人",
        "voice_cancelled": "取消声纹",
        "account_frozen": "账户锁定",
        "account_released": "账户解锁",
        "lock_set": "开启安全锁",
        "lock_released": "解除安全锁",
        "card_loss_reported": "银行卡挂失",
        "card_loss_cancelled": "解除挂失",
    },
    "outcome": {
        "ok": "成功",
        "wrong": "错误",
        "locked": "已暂停",
        "expired": "已过期",
        "exhausted": "次数用完",
        "used": "已用过",
        "frozen": "账户已锁定",
        "done": "完成",
        "realname_mismatch": "实名不符",
        "realname_unknown": "实名查无此人",
        **VOICE_OUTCOMES,
    },
    "channel": CHANNELS,
}
LOGIN: Mapping[str, Names] = {
    "tier": {"none": "正常", "low": "低", "medium": "中", "high": "高"},
    "status": {"open": "没有完成", "done": "已登录", "refused": "没有通过"},
}
RECOVERY: Mapping[str, Names] = {
    "status": {"open": "没有完成", "code_ok": "没有完成", "proved": "没有完成", "done": "已重设密码"}
}
RESTRICTION: Mapping[str, Names] = {
    "kind": {
        "view_only": "只能查询",
        "low_limits": "只能办小额",
        "frozen": "锁定",
        "voice_suspected": "电话业务要人工核实",
    }
}
LOCK: Mapping[str, Names] = {"scope": SCOPE_NAMES}
ENTRY: Mapping[str, Names] = {"category": CATEGORY_NAMES}
ORDER: Mapping[str, Names] = {
    "status": {
        "drafted": "已起草",
        "read_back": "已复述",
        "confirmed": "已确认",
        "waiting": "等待办理",
        "authorised": "已授权",
        "submitted": "处理中",
        "executed": "已完成",
        "failed": "没有办成",
        "expired": "已过期",
        "cancelled": "已取消",
    },
    "channel": CHANNELS,
    "kind": {
        "transfer": "转账",
        "bill_pay": "生活缴费",
        "topup": "话费充值",
        "payee_add": "添加收款人",
        "payee_delete": "删除收款人",
        "card_report_loss": "挂失",
        "card_cancel_loss": "解除挂失",
        "security_lock": "开启安全锁",
        "security_unlock": "解除安全锁",
        "mandate_create": "约定付款",
        "mandate_pause": "暂停约定",
        "mandate_resume": "恢复约定",
        "mandate_cancel": "取消约定",
        "voice_enrol": "开通声纹",
        "voice_cancel": "取消声纹",
    },
    "risk_verdict": {
        "allow": "通过",
        "step_up": "加强验证",
        "delay": "延后办理",
        "human": "人工核实",
        "block": "拦截",
    },
}
MANDATE: Mapping[str, Names] = {
    "status": {"active": "生效中", "paused": "已暂停", "ended": "已结束", "cancelled": "已取消"},
    "frequency": {"once": "一次", "weekly": "每周", "monthly": "每月"},
    "kind": ORDER["kind"],
}
DECISION: Mapping[str, Names] = {
    "verdict": ORDER["risk_verdict"],
    "kind": ORDER["kind"],
    "subject": {"order": "业务", "login": "登录"},
    "channel": CHANNELS,
}
SIGHTING: Mapping[str, Names] = {"kind": {"payee": "收款账户", "device": "设备", "network": "网络"}}
CHANNEL: Mapping[str, Names] = {"channel": CHANNELS}
TRAIL: Mapping[str, Names] = {
    "actor_kind": {"customer": "客户本人", "agent": "坐席", "system": "系统", "operator": "运维"},
    "channel": CHANNELS,
}
