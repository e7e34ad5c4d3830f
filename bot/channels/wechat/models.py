"""Tables of the WeChat channel."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base, new_id
from banking_core.vault import INDEX_CHARS, Sealed, SealedRow

KEY_CHARS = 64  # SHA-256 in hexadecimal


class WechatContact(SealedRow, Base):
    """One follower: the conversation, whose account it is bound to, and what has been delivered.

    Everything said in the conversation up to `delivered_seq`, and `delivered_chars` of what follows, has reached
    Tencent. `quota_left` messages may still be sent before `quota_until`. Whoever holds the lease `busy_by` until
    `busy_until` is the only one who sends. `alerted_seq`: up to there the customer was told that something waits.
    """

    __tablename__ = "wechat_contact"
    __table_args__ = (
        CheckConstraint("quota_left >= 0", name="quota"),
        CheckConstraint("(customer_id IS NULL) = (bound_at IS NULL)", name="bound"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    openid_sealed: Mapped[str] = mapped_column(Text)
    openid_index: Mapped[str] = mapped_column(String(INDEX_CHARS), unique=True)
    openid = Sealed[str]("openid_sealed", index="openid_index")
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), unique=True)
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customer.id"), index=True)
    device_id: Mapped[str | None] = mapped_column(String(32))
    bound_at: Mapped[datetime | None]
    following: Mapped[bool]
    delivered_seq: Mapped[int] = mapped_column(Integer)
    delivered_chars: Mapped[int] = mapped_column(Integer)
    quota_left: Mapped[int] = mapped_column(Integer)
    quota_until: Mapped[datetime]
    busy_by: Mapped[str | None] = mapped_column(String(32))
    busy_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(Integer)
    retry_at: Mapped[datetime | None]
    alerted_seq: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class WechatReceived(SealedRow, Base):
    """One message or event, whatever the number of deliveries; `id` is its key. Kept for a day.

    `answer` is what was said in the response to it, so that a delivery that never got it is answered alike. `message`
    is what came, for as long as it is acknowledged ('later') and not yet handled: whoever is left handles it.
    """

    __tablename__ = "wechat_received"
    __table_args__ = (CheckConstraint("status IN ('open', 'answered', 'later')", name="status"),)

    id: Mapped[str] = mapped_column(String(KEY_CHARS), primary_key=True)
    contact_id: Mapped[str] = mapped_column(ForeignKey("wechat_contact.id", ondelete="CASCADE"), index=True)
    status: Mapped[str] = mapped_column(String(8))
    answer_sealed: Mapped[str | None] = mapped_column(Text)
    answer = Sealed[dict[str, Any] | None]("answer_sealed")
    message_sealed: Mapped[str | None] = mapped_column(Text)
    message = Sealed[dict[str, Any] | None]("message_sealed")
    received_at: Mapped[datetime] = mapped_column(index=True)


class WechatNonce(Base):
    """A nonce that was used, for what body, and how often. Kept while its time is good."""

    __tablename__ = "wechat_nonce"

    key: Mapped[str] = mapped_column(String(KEY_CHARS), primary_key=True)
    body_digest: Mapped[str] = mapped_column(String(KEY_CHARS))
    uses: Mapped[int] = mapped_column(Integer)
    used_at: Mapped[datetime] = mapped_column(index=True)


class WechatToken(SealedRow, Base):
    """The access token of an account (`id` is its app id), shared by all processes. Who renews it holds the lease."""

    __tablename__ = "wechat_token"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    token_sealed: Mapped[str | None] = mapped_column(Text)
    token = Sealed[str | None]("token_sealed")
    expires_at: Mapped[datetime | None]
    lease_by: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]


class WechatMedium(Base):
    """A picture that was uploaded for a follower; `key` is the SHA-256 of what it shows and to whom."""

    __tablename__ = "wechat_medium"

    key: Mapped[str] = mapped_column(String(KEY_CHARS), primary_key=True)
    contact_id: Mapped[str] = mapped_column(ForeignKey("wechat_contact.id", ondelete="CASCADE"), index=True)
    media_id: Mapped[str] = mapped_column(String(128))
    good_until: Mapped[datetime] = mapped_column(index=True)


class WechatVisit(Base):
    """A browser inside WeChat at the secure page, whose openid Tencent has vouched for."""

    __tablename__ = "wechat_visit"

    session_id: Mapped[str] = mapped_column(
        ForeignKey("bank_session.id", ondelete="CASCADE"), primary_key=True
    )
    contact_id: Mapped[str] = mapped_column(ForeignKey("wechat_contact.id", ondelete="CASCADE"), index=True)


class WechatAlert(Base):
    """A notice of the bank that goes out as a template message too, claimed before it is sent."""

    __tablename__ = "wechat_alert"
    __table_args__ = (Index("ix_wechat_alert_claimed", "claimed_at"),)

    notice_id: Mapped[str] = mapped_column(ForeignKey("notice.id", ondelete="CASCADE"), primary_key=True)
    claimed_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
