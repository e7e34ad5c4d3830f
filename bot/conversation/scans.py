"""What is said to the codes in a picture that a customer sent: a receiving code of ours is told to the assistant, for
any other there is one sentence and a next step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.dialogue.reading.pay_codes import read_pay_codes, scanned
from bot.dialogue.reply import Reply, choices

PICTURE_OF_CODE: Final = "[扫码图片]"  # what the log says in its place
SEVERAL: Final = "图片里有好几张收款码，我不知道付给谁。请只拍一张，再发给我。"
NO_CODE: Final = (
    "图片里没有找到二维码。请拍得近一点、清楚一点再发；也可以把收款码的链接发给我，或者说“转账”。"
)
UNREADABLE: Final = "这张图片打不开。请换一张JPG或PNG的图片（4MB以内）再发，或者把收款码的链接发给我。"
OTHERS: Final = (
    (("wxp://", "weixin.qq.com", "u.wechat.com", "wxpay"), "微信", "请在微信里扫"),
    (("alipay.com", "alipays://"), "支付宝", "请在支付宝里扫"),
    (("95516.com", "unionpay"), "云闪付", "请在云闪付里扫"),
)
OF_OTHERS: Final = (
    "这是{whose}的码，我付不了，{instead}。要从我行付给对方，请让对方出我行的收款码，或者说“转账”。"
)
FOREIGN: Final = "这不是我行的收款码，我没有打开它；来路不明的码请不要扫。要付给个人，请说“转账”。"
OFFERED: Final = choices("转账", "转人工")


def judged(texts: Sequence[str]) -> str | Reply | None:
    """What to tell the assistant in the customer's place, or what to answer; None where there is no code at all."""
    tokens = {reading.value for text in texts for reading in read_pay_codes(text)}
    if len(tokens) == 1:
        return scanned(tokens.pop())
    if tokens:
        return Reply(SEVERAL)
    if not texts:
        return None
    for marks, whose, instead in OTHERS:
        if any(mark in text.lower() for text in texts for mark in marks):
            return Reply(OF_OTHERS.format(whose=whose, instead=instead), choices=OFFERED)
    return Reply(FOREIGN, choices=OFFERED)
