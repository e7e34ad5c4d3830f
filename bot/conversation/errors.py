"""The exception tree of the hub.

ConversationError        code, customer_text
├── ConversationNotFound
├── NotOwner             somebody else owns the conversation now
├── AlreadyClaimed       another agent was faster
├── NotQueued            it is not waiting for a human
├── ConversationClosed
├── MessageTooLong
├── ProposalRefused      an agent's value for a slot cannot be used
└── UnknownQuestion      no open question has this fingerprint
"""

from __future__ import annotations

from typing import ClassVar


class ConversationError(Exception):
    """Root of what the hub refuses. `customer_text` is Chinese and may be shown to agents too."""

    code: ClassVar[str] = "conversation_error"
    customer_text: ClassVar[str] = "这个会话现在不能这样操作，请刷新后再试。"

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.code)


class ConversationNotFound(ConversationError):
    """No such conversation."""

    code = "not_found"
    customer_text = "没有找到这个会话，请刷新页面。"


class NotOwner(ConversationError):
    """The speaker does not own the conversation."""

    code = "not_owner"
    customer_text = "这个会话现在不归您接待，消息没有发出。"


class AlreadyClaimed(ConversationError):
    """Another agent has it."""

    code = "already_claimed"
    customer_text = "同事已经接了这位客户。"


class NotQueued(ConversationError):
    """Not in the queue (any more)."""

    code = "not_queued"
    customer_text = "这位客户已经不在排队了。"


class ConversationClosed(ConversationError):
    """The conversation has ended."""

    code = "closed"
    customer_text = "这次会话已经结束。"


class MessageTooLong(ConversationError):
    """More characters than one message may have."""

    code = "message_too_long"
    customer_text = "这条消息太长了，请分成几条发，每条不超过500个字。"


class ProposalRefused(ConversationError):
    """The value cannot be proposed; `customer_text` says why, to the agent."""

    code = "proposal_refused"
    customer_text = "这个值不能用，请换一个。"

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.customer_text = text  # type: ignore[misc]


class NothingHeld(ConversationError):
    """No order waits for a person to make sure of the customer."""

    code = "nothing_held"
    customer_text = "现在没有等您核实的业务。"


class UnknownQuestion(ConversationError):
    """No open question has this fingerprint."""

    code = "unknown_question"
    customer_text = "没有这个编号的待补问题，请用“zhanggui questions”查看。"
