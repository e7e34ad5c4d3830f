"""Which Vosk model hears: the bundled one, one on disk, or one that Vosk fetches by its name."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.channels.phone.errors import HearingFailed

BUNDLED: Final = "bundled"
BUNDLED_FOLDER: Final = Path(__file__).parent / "model"
RATE_HZ_DEFAULT: Final = 16000
_RATE = re.compile(r"^--sample-frequency=([0-9]+)", re.MULTILINE)
_NAME = re.compile(r"vosk-model-[A-Za-z0-9.-]+")
_lock = threading.Lock()
_loaded: dict[str, Loaded] = {}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory, shared by all calls. `rate_hz` is what it wants to be fed."""

    name: str
    model: Any
    rate_hz: int

    def knows(self, word: str) -> bool:
        """Whether the word is in its vocabulary."""
        return int(self.model.vosk_model_find_word(word)) >= 0


def load(which: str = BUNDLED) -> Loaded:
    """Loads once per process: "bundled", a folder, or a name such as vosk-model-small-cn-0.22.

    Raises HearingFailed, with a reason that names no caller and no secret.
    """
    with _lock:
        if which not in _loaded:
            _loaded[which] = _load(which)
        return _loaded[which]


def _load(which: str) -> Loaded:
    try:
        import vosk
    except (ImportError, OSError) as error:
        raise HearingFailed(f"vosk cannot be imported: {type(error).__name__}") from None
    vosk.SetLogLevel(-1)
    folder = BUNDLED_FOLDER if which == BUNDLED else Path(which).expanduser()
    if folder.is_dir():
        return Loaded(folder.name if which != BUNDLED else BUNDLED, _opened(vosk, folder), rate_of(folder))
    if not _NAME.fullmatch(which):
        raise HearingFailed(f"there is no model at {which!r}")
    return _fetched(vosk, which)


def _opened(vosk: Any, folder: Path) -> Any:
    if not (folder / "am" / "final.mdl").is_file():
        raise HearingFailed(f"{folder.name!r} holds no Vosk model")
    try:
        return vosk.Model(model_path=str(folder))
    except Exception:  # what Vosk raises has no type of its own
        raise HearingFailed(f"Vosk cannot read the model {folder.name!r}") from None


def _fetched(vosk: Any, name: str) -> Loaded:
    """By name: Vosk looks where it keeps models and asks its server; without a network that fails."""
    try:
        finder = vosk.Model.__new__(vosk.Model)
        finder._handle = vosk.vosk_cffi.ffi.NULL if hasattr(vosk, "vosk_cffi") else None
        folder = Path(vosk.Model.get_model_path(finder, name, None))
    except (Exception, SystemExit) as error:
        raise HearingFailed(f"the model {name} cannot be fetched: {type(error).__name__}") from None
    return Loaded(name, _opened(vosk, folder), rate_of(folder))


def rate_of(folder: Path) -> int:
    """The sampling rate the model's features were computed at."""
    config = folder / "conf" / "mfcc.conf"
    if not config.is_file():
        return RATE_HZ_DEFAULT
    found = _RATE.search(config.read_text("utf-8"))
    return int(found[1]) if found else RATE_HZ_DEFAULT
