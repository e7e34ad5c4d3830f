"""What is asked for."""

from __future__ import annotations

from banking_core.risk.features.feature import Feature, flag

KINDS = {
    "transfer": "转账",
    "bill_pay": "缴费",
    "topup": "充值",
    "payee_add": "添加收款人",
    "payee_delete": "删除收款人",
    "card_report_loss": "挂失",
    "card_cancel_loss": "解除挂失",
    "security_lock": "上安全锁",
    "security_unlock": "解安全锁",
    "login": "登录",
}
CHANNELS = {"web": "网页", "wechat": "微信", "phone": "电话"}


def _kind(name: str, words: str) -> Feature:
    return flag(f"kind_{name}", "order", f"业务是{words}", lambda m: m.context.kind == name)


def _channel(name: str, words: str) -> Feature:
    return flag(f"channel_{name}", "order", f"来自{words}渠道", lambda m: m.context.channel == name)


FEATURES = (
    *(_kind(name, words) for name, words in KINDS.items()),
    flag("kind_other", "order", "业务是其他种类", lambda m: m.context.kind not in KINDS),
    *(_channel(name, words) for name, words in CHANNELS.items()),
    flag("channel_other", "order", "来自其他渠道", lambda m: m.context.channel not in CHANNELS),
    flag("moves_money", "order", "有钱离开账户", lambda m: m.context.account is not None),
    flag("phase_execute", "order", "正要执行（不是起草）", lambda m: m.context.phase == "execute"),
    flag("is_standing", "order", "定期委托的一次执行", lambda m: m.context.standing),
    flag("has_waited", "order", "已经等过冷静期", lambda m: m.context.waited),
    Feature("proofs_count", "order", "count", "已通过的验证因素数", lambda m: m.context.proofs),
)
