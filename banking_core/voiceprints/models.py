"""Tables of the voiceprints. Nowhere is a recording kept unless the bank has turned that on.

What is made of a voice is sealed by a key ring of its own, `voice`; digits are the bank's own and are not.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.storage import Base, new_id
from banking_core.vault import Sealed, SealedRow

OUTCOMES = ("ok", "enrolled", "fault", "late", "wrong_digits", "wrong_voice", "replayed")


class VoiceConsent(Base):
    """A customer agreed to one version of the explanation; taken back at `revoked_at`. Kept as evidence.

    `audio_days`: they were told that what they say is kept so long; 0: not at all. Until `record_until` a recording
    may take the place of an existing one: the order of it was proved by more than a code.
    """

    __tablename__ = "voice_consent"
    __table_args__ = (
        Index(
            "uq_voice_consent_active",
            "customer_id",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), index=True)
    version: Mapped[int] = mapped_column(Integer)
    channel: Mapped[str] = mapped_column(String(32))
    audio_days: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    given_at: Mapped[datetime]
    record_until: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Voiceprint(SealedRow, Base):
    """The one template of a customer. `template` is base64 of what the encoder `encoder` made, sealed.

    `near` is a running mean of how well the accepted samples fitted, `adapted_at` when the template last took one in.
    `drifted_at` is set when it ought to be recorded anew. For orders it counts from `counts_from` on (None: at once);
    `replaces` says that another one was there before.
    """

    __tablename__ = "voiceprint"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), unique=True)
    encoder: Mapped[str] = mapped_column(String(64))
    template_sealed: Mapped[str] = mapped_column(Text)
    template = Sealed[str]("template_sealed", ring="voice")
    near: Mapped[float | None]
    enrolled_at: Mapped[datetime]
    counts_from: Mapped[datetime | None]
    replaces: Mapped[bool] = mapped_column(default=False)
    adapted_at: Mapped[datetime | None]
    adaptations: Mapped[int] = mapped_column(Integer, default=0)
    verified_at: Mapped[datetime | None]
    drifted_at: Mapped[datetime | None]


class VoiceEnrolment(SealedRow, Base):
    """An enrolment under way: `samples` are base64 embeddings, sealed. Gone when finished, given up or too old."""

    __tablename__ = "voice_enrolment"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), unique=True)
    encoder: Mapped[str] = mapped_column(String(64))
    samples_sealed: Mapped[str] = mapped_column(Text)
    samples = Sealed[list[str]]("samples_sealed", ring="voice")
    tries_left: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class VoicePrompt(SealedRow, Base):
    """One dynamic spoken password: good once, for `purpose`, until `expires_at`.

    `digits_key` is a fingerprint of owner and digits, so that none comes again within a day. `against` is 1
    when what was said clearly was another voice. Without a customer it was asked of a number that the bank
    does not know. status: open, used, void.
    """

    __tablename__ = "voice_prompt"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'used', 'void')", name="status"),
        Index("ix_voice_prompt_digits", "digits_key", "made_at"),
        Index("ix_voice_prompt_purpose", "owner_key", "purpose"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customer.id"), index=True)
    owner_key: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(64))
    digits_sealed: Mapped[str] = mapped_column(Text)
    digits = Sealed[str]("digits_sealed")
    digits_key: Mapped[str] = mapped_column(String(64))
    against: Mapped[int] = mapped_column(Integer, default=0)
    status: Mapped[str] = mapped_column(String(8), default="open")
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class VoiceAttempt(SealedRow, Base):
    """What became of one recording. `fingerprint` tells the same recording apart from another one of the same words.

    `nearness` and `content` are log-likelihood ratios: this voice against others, these digits against others.
    `audio` is kept only where the bank has turned that on.
    """

    __tablename__ = "voice_attempt"
    __table_args__ = (
        CheckConstraint(f"outcome IN ({', '.join(map(repr, OUTCOMES))})", name="outcome"),
        Index("ix_voice_attempt_customer", "customer_id", "at"),
        UniqueConstraint("prompt_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"))
    prompt_id: Mapped[str] = mapped_column(String(32))
    purpose: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(32))
    outcome: Mapped[str] = mapped_column(String(16))
    fault: Mapped[str] = mapped_column(String(16), default="")
    nearness: Mapped[float | None]
    content: Mapped[float | None]
    fingerprint_sealed: Mapped[str | None] = mapped_column(Text)
    fingerprint = Sealed[str | None]("fingerprint_sealed", ring="voice")
    audio_sealed: Mapped[str | None] = mapped_column(Text)
    audio = Sealed[str | None]("audio_sealed", ring="voice")
    at: Mapped[datetime] = mapped_column(index=True)
