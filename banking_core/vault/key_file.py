"""A key ring in a file of its own: made with mode 0600, replaced whole, never half written."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from banking_core.checked import checked
from banking_core.vault.errors import KeyRingInvalid
from banking_core.vault.keys import KeyRing, RingName, new_ring, parse_ring


@checked
class KeyFile:
    """A key source (see `vault.KeySource`) on a file."""

    def __init__(self, path: Path, name: RingName = "data") -> None:
        self.path = path
        self.name = name

    def load(self) -> KeyRing:
        """The ring; raises KeyRingInvalid when there is none, or when every user of the machine could read it."""
        try:
            return self._load()
        except KeyRingInvalid as error:
            raise KeyRingInvalid(str(error), ring=self.name) from None

    def _load(self) -> KeyRing:
        try:
            mode = self.path.stat().st_mode
            text = self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise KeyRingInvalid(f"the key file cannot be read: {type(error).__name__}") from None
        if mode & stat.S_IRWXO:
            raise KeyRingInvalid("the key file is open to every user of the machine; chmod 600 it")
        return parse_ring(text, self.name)

    def stamp(self) -> object:
        """Changes whenever the file does."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return (status.st_ino, status.st_mtime_ns, status.st_size)

    def create(self, now: datetime) -> bool:
        """Makes a fresh ring unless there is a file; of several processes exactly one succeeds."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            return False
        with self._written(new_ring(now, self.name)) as written:
            try:
                os.link(written, self.path)
            except FileExistsError:
                return False
            self._sync_folder()
        return True

    def update(self, change: Callable[[KeyRing], KeyRing]) -> KeyRing:
        """Replaces the ring by what `change` makes of it, one writer at a time; owner and mode stay.

        The new file is on the disk before this returns: what is sealed with a new key must not outlive the key.
        """
        with self.path.with_name(f".{self.path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            ring = change(self.load())
            with self._written(ring, like=self.path.stat()) as written:
                os.replace(written, self.path)
                self._sync_folder()
        return ring

    @contextmanager
    def _written(self, ring: KeyRing, like: os.stat_result | None = None) -> Iterator[Path]:
        """A finished file beside the real one, with mode 0600 or that of `like`; removed at the end."""
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=".keys-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                if like is not None:
                    os.fchown(file.fileno(), like.st_uid, like.st_gid)
                    os.fchmod(file.fileno(), stat.S_IMODE(like.st_mode))
                file.write(ring.dump())
                file.flush()
                os.fsync(file.fileno())
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def _sync_folder(self) -> None:
        descriptor = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
