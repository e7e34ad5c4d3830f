"""Whatever customers say, in whatever order, however badly they are understood: money moves only on a yes.

One machine plays a customer against the engine with the made-up skills. The orders of `counter` refuse to be
executed twice, unconfirmed, or with another body than was drafted; here it is checked that an order was confirmed by
a yes said directly after that very order had been read back.
"""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.dialogue.commands import Command, recognise
from bot.dialogue.state import STACK_MAX, state_from_json
from bot.dialogue.understanding import SERVICE_DOWN, Understanding
from tests.bot.dialogue.counter import SKILLS, Talk, hear

SENTENCES = """
给张三转500 转账 我要转账 给李四转五千 给老王转八百 给赵六转一百 张三 李四 五百 六百块 -5元 0元 几百块 六万 1，200
不对，是六百 不是五百，是七百 转给李四 改成给王小明转九百 改金额 改收款人 金额不对 收款人换成李四 第一个 第二个 都不是 2
充话费 给13800001234充50 13800001234 1380000 预约取号 明天 对公 2月30号 周五 没什么备注
查余额 手续费多少 几点开门 月球上有网点吗 你好 登录 咕噜咕噜 ？ 😀
确认 确认 确认 好的 是 嗯 对 可以 不 不对 修改 取消 算了 算了不转了 上一步
再说一遍 等一下 我不知道 帮助 转人工 不用 不用了
接着刚才的转账 继续 留言
""".split()
INTENTS = [
    *(skill.intent for skill in SKILLS),
    "affirm",
    "deny",
    "cancel",
    "correct",
    "resume",
    "faq",
    "greet",
    "x",
]
ADVERSE = st.builds(
    lambda intent, sure, other: Understanding("", intent, sure, ((intent, sure), (other, 1 - sure))),
    st.sampled_from(INTENTS),
    st.floats(0, 1),
    st.sampled_from(INTENTS),
)


class CustomerMachine(RuleBasedStateMachine):
    """Says sentences, waits, gives codes, is interrupted; sometimes the model hears nonsense or is down."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.talk = Talk()
        self.read_back: str | None = None

    def teardown(self) -> None:
        self.runner.close()

    @initialize(logged_in=st.booleans())
    def begin(self, logged_in: bool) -> None:
        self.talk.customer_id = "customer" if logged_in else None

    @rule(text=st.sampled_from(SENTENCES))
    def say_and_be_understood(self, text: str) -> None:
        self.say(text, hear(text))

    @rule(
        text=st.sampled_from(["给张三转500", "给李四转5000", "给13800001234充话费50元"]), sure=st.booleans()
    )
    def order_something(self, text: str, sure: bool) -> None:
        self.say(text, hear(text))
        if sure:
            self.say_yes("确认")

    @rule(text=st.sampled_from(["确认", "好的", "是", "对"]))
    def say_yes(self, text: str) -> None:
        self.say(text, hear(text))

    @rule(text=st.sampled_from(SENTENCES), heard=ADVERSE | st.just(SERVICE_DOWN))
    def say_and_be_misunderstood(self, text: str, heard: Understanding) -> None:
        self.say(text, heard)

    @rule(text=st.text(max_size=20), heard=ADVERSE)
    def say_anything(self, text: str, heard: Understanding) -> None:
        self.say(text, heard)

    def say(self, text: str, heard: Understanding) -> None:
        before = dict(self.talk.orders.status)
        done = len(self.talk.orders.executed)
        said = self.runner.run(self.talk.say(text, heard))
        assert said.strip() or self.talk.out.effects, "every message is answered"
        after = self.talk.orders.status
        confirmed = [o for o in after if after[o] in ("confirmed", "executed") and before.get(o) == "drafted"]
        assert not [o for o in after if o not in before and after[o] != "drafted"], (
            "no order skips the read-back"
        )
        if confirmed:
            assert confirmed == [self.read_back], "what is confirmed is what was read back last"
            assert recognise(text, heard) is Command.AFFIRM
        assert len(self.talk.orders.executed) <= done + 1
        self.note_read_back()

    @rule()
    def give_the_right_code(self) -> None:
        done = len(self.talk.orders.executed)
        assert self.runner.run(self.talk.prove()).strip()
        assert len(self.talk.orders.executed) <= done + 1
        self.note_read_back()

    def note_read_back(self) -> None:
        """The order whose values the last reply names while it asks for a yes."""
        top, replies = self.talk.state.top, self.talk.out.replies
        self.read_back = None
        if top is not None and top.order_id is not None and replies:
            last = replies[-1].text
            asks = "请您核对" in last or "要办吗" in last
            if asks and all(shown in last for shown in top.shown.values()):
                assert self.talk.orders.bodies[top.order_id] == top.values
                self.read_back = top.order_id

    @rule(seconds=st.sampled_from([1, 600, 901, 90_000]))
    def wait(self, seconds: int) -> None:
        self.talk.wait(seconds)

    @rule()
    def be_interrupted_by_an_announcement(self) -> None:
        state = self.talk.state
        state.interrupted()
        self.talk.stored = json.dumps(state.to_json())
        self.read_back = None

    @invariant()
    def state_is_small_and_whole(self) -> None:
        state = self.talk.state
        assert len(state.stack) <= STACK_MAX
        assert state_from_json(json.loads(json.dumps(state.to_json()))) == state
        assert len(self.talk.orders.executed) == len(set(self.talk.orders.executed))
        for frame in state.stack:
            assert frame.phase != "confirm" or frame.order_id is not None
            assert self.talk.engine.runner.knows(frame)


TestCustomer = pytest.mark.filterwarnings("ignore::ResourceWarning")(CustomerMachine.TestCase)
TestCustomer.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, derandomize=True)
