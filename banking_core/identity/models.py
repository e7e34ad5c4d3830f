"""Proofs of identity and the log of their use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base, new_id
from banking_core.vault import Sealed, SealedRow


class PasswordCredential(Base):
    """The argon2id hash of a customer's password."""

    __tablename__ = "password_credential"

    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime]


class AttemptGuard(Base):
    """Wrong tries, kept for phone numbers unknown to the bank too, so that both look the same from outside.

    `key` is a fingerprint (`identity.keys`): no phone number and no address is in this table.
    """

    __tablename__ = "attempt_guard"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    wrong_count: Mapped[int] = mapped_column(Integer, default=0)
    lock_count: Mapped[int] = mapped_column(Integer, default=0)
    locked_until: Mapped[datetime | None]
    last_wrong_at: Mapped[datetime | None]


class OtpChallenge(Base):
    """One SMS code. Only fingerprints of code, phone number and address are kept.

    One without a customer was asked for with a number unknown to the bank, and sent nowhere.
    status: open, used, void (replaced), exhausted.
    """

    __tablename__ = "otp_challenge"
    __table_args__ = (
        Index("ix_otp_challenge_phone", "phone_key", "sent_at"),
        Index("ix_otp_challenge_address", "address_key", "sent_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customer.id"), index=True)
    phone_key: Mapped[str] = mapped_column(String(64))
    address_key: Mapped[str] = mapped_column(String(64), default="")
    purpose: Mapped[str] = mapped_column(String(64))
    code_hmac: Mapped[str] = mapped_column(String(64))
    tries_left: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(16), default="open")
    sent_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]


class TotpCredential(SealedRow, Base):
    """A customer's authenticator app. pending: waits for its first code; active: in force.

    `secret` is the shared secret in hexadecimal, sealed; `last_step` the newest step whose code was taken.
    """

    __tablename__ = "totp_credential"
    __table_args__ = (
        UniqueConstraint("customer_id", "status"),
        CheckConstraint("status IN ('pending', 'active')", name="status"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"))
    status: Mapped[str] = mapped_column(String(8))
    secret_sealed: Mapped[str] = mapped_column(Text)
    secret = Sealed[str]("secret_sealed")
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """A code that stands in once for a lost authenticator app; only a fingerprint is kept."""

    __tablename__ = "recovery_code"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    used_at: Mapped[datetime | None]


class Device(Base):
    """A phone or browser that a customer logged in with. `key` is a fingerprint of customer and device.

    A device that was unbound keeps its row, and is as good as new when it comes back.
    """

    __tablename__ = "device"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    trusted_until: Mapped[datetime | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    unbound_at: Mapped[datetime | None]


class BankSession(Base):
    """One visit through a channel, of a customer once they are logged in. Only the token's hash is kept.

    `how` names in Chinese what the customer proved. `renew_token` is set when the customer logged in without a
    new token: the channel gives one at the next chance. `ended_why`: logout, revoked, replaced, security, full.
    """

    __tablename__ = "bank_session"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    channel: Mapped[str] = mapped_column(String(16))
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customer.id"), index=True)
    device_id: Mapped[str | None] = mapped_column(ForeignKey("device.id"), index=True)
    how: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime]
    authenticated_at: Mapped[datetime | None]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    renew_token: Mapped[bool] = mapped_column(default=False)
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str | None] = mapped_column(String(16))


class KnownPlace(Base):
    """Where a customer has logged in from, as a fingerprint of the customer and a coarse network."""

    __tablename__ = "known_place"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), index=True)
    last_seen_at: Mapped[datetime]


class LoginAttempt(Base):
    """A log-in under way. `needs`: proofs still to be given, in order; `proofs`: those given.

    Without a customer (a log-in by code with an unknown number) it leads nowhere, and does not say so.
    `session_id` is the visit it was begun in: only there it goes on. `tier` and `reasons` are how it was judged.
    """

    __tablename__ = "login_attempt"
    __table_args__ = (CheckConstraint("status IN ('open', 'done', 'refused')", name="status"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customer.id"), index=True)
    session_id: Mapped[str] = mapped_column(String(32), default="")
    tier: Mapped[str] = mapped_column(String(8))
    reasons: Mapped[list[Any]]
    needs: Mapped[list[Any]]
    proofs: Mapped[list[Any]]
    challenge_id: Mapped[str | None] = mapped_column(String(32))
    trust_device: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Recovery(Base):
    """A forgotten password on its way to a new one. Without a customer it leads nowhere, and does not say so.

    status: open (code and identity to be shown), code_ok (the code was right), proved, done.
    """

    __tablename__ = "recovery"
    __table_args__ = (CheckConstraint("status IN ('open', 'code_ok', 'proved', 'done')", name="status"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customer.id"), index=True)
    guard_key: Mapped[str] = mapped_column(String(64))
    session_id: Mapped[str] = mapped_column(String(32), default="")
    challenge_id: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SecurityEvent(SealedRow, Base):
    """What happened to a customer's security: log-ins, codes, locks. Never holds a secret.

    `id` rises with time. `address` is where it came from, sealed.
    """

    __tablename__ = "security_event"
    __table_args__ = (Index("ix_security_event_customer", "customer_id", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customer.id"))
    phone_masked: Mapped[str] = mapped_column(String(11), default="")
    kind: Mapped[str] = mapped_column(String(32))
    outcome: Mapped[str] = mapped_column(String(32), default="")
    channel: Mapped[str] = mapped_column(String(16), default="")
    address_sealed: Mapped[str | None] = mapped_column(Text)
    address = Sealed[str | None]("address_sealed")
    device_name: Mapped[str] = mapped_column(String(64), default="")
    detail: Mapped[dict[str, Any]]
    at: Mapped[datetime]
