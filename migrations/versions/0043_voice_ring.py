"""What is made of voices is sealed by a key ring of its own"""

from __future__ import annotations

from migrations.sealing import move, write_anew

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

MADE_OF_VOICES = {
    "voiceprint": ("template",),
    "voice_enrolment": ("samples",),
    "voice_attempt": ("fingerprint", "audio"),
}


def upgrade() -> None:
    """Applies this revision; nothing stays behind that the old ring opens."""
    move(MADE_OF_VOICES, "voice")
    _write_anew()


def downgrade() -> None:
    """Takes this revision back."""
    move(MADE_OF_VOICES, "data")
    _write_anew()


def _write_anew() -> None:
    for table, names in MADE_OF_VOICES.items():
        write_anew(table, f"{names[0]}_sealed")
