"""Figures of the channel for the operator, on /metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter


class WechatMetrics:
    """Counts, by kind; never whose."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.refused = Counter(
            "zhanggui_wechat_refused_total", "Callbacks refused, by code", ["code"], registry=registry
        )
        self.received = Counter(
            "zhanggui_wechat_received_total",
            "Callbacks taken, by kind of message and how they were answered (answer, later, again, too_fast)",
            ["kind", "how"],
            registry=registry,
        )
        self.sent = Counter(
            "zhanggui_wechat_sent_total",
            "Customer-service and template messages, by outcome (ok or the code of the error); template_result is what "
            "Tencent says later became of a template message (ok, user_block, failed)",
            ["what", "outcome"],
            registry=registry,
        )
