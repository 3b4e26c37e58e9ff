"""The file behind a SQLite store: named or temporary, locked against a second server, never deleted by mistake."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import sqlite3
import struct
import tempfile
import time
from pathlib import Path

from flower.store.errors import StoreError
from flower.store.schema import APPLICATION_ID, VERSION

logger = logging.getLogger(__name__)

MAGIC = b"SQLite format 3\x00"
TEMPORARY_PREFIX, BEGUN_PREFIX = "flower-store-", "flower-begun-"
NAME = "tasks.sqlite3"
COMPANIONS = ("", "-wal", "-shm")


class StoreFile:
    """A path and the lock on it. `close` gives the lock back and removes a temporary store."""

    def __init__(self, path: Path, lock: int, folder: Path | None = None) -> None:
        self.path = path
        self._lock = lock
        self._folder = folder

    @property
    def temporary(self) -> bool:
        return self._folder is not None

    def size(self) -> int:
        """Bytes on the disk, with what is not yet moved into the file itself."""
        size = 0
        for suffix in COMPANIONS[:2]:
            with contextlib.suppress(OSError):
                size += self.path.with_name(self.path.name + suffix).stat().st_size
        return size

    def close(self) -> None:
        """Idempotent."""
        if self._lock < 0:
            return
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                os.unlink(_lock_path(self.path))
        os.close(self._lock)
        self._lock = -1


def temporary_file() -> StoreFile:
    """A private file that goes with the process; what killed processes left behind is swept first."""
    root = Path(tempfile.gettempdir())
    for left in root.glob(TEMPORARY_PREFIX + "*"):
        _sweep(left)
    # Locked before it has the name by which another server would sweep it.
    begun = Path(tempfile.mkdtemp(prefix=BEGUN_PREFIX))
    lock = _take_lock(begun / NAME)
    folder = begun.rename(root / begun.name.replace(BEGUN_PREFIX, TEMPORARY_PREFIX, 1))
    return StoreFile(folder / NAME, lock, folder)


def durable_file(name: str) -> StoreFile:
    """The named file, checked and locked; StoreError when it cannot be ours.

    A file that is not a Flower database is refused and left alone. One of ours that was cut short
    is set aside under another name, and a new one is begun.
    """
    path = Path(name).expanduser().absolute()
    if path.is_dir():
        raise StoreError(f"{path} is a directory; db must name a file")
    if not path.parent.is_dir():
        raise StoreError(f"The directory {path.parent} of db does not exist")
    try:
        lock = _take_lock(path)
    except PermissionError as error:
        raise StoreError(f"Cannot write {path}: {error.strerror}") from error
    try:
        damage = damage_of(path)
        if damage:
            set_aside(path, damage)
        # Created here so that it is never readable by others, not even for a moment.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        os.close(lock)
        raise StoreError(f"Cannot write {path}: {error.strerror}") from error
    except StoreError:
        os.close(lock)
        raise
    return StoreFile(path, lock)


def set_aside(path: Path, reason: str) -> Path:
    """Rename the file and its companions, so that nothing of it is lost; returns the new name."""
    aside = path.with_name(f"{path.name}.corrupt-{time.strftime('%Y%m%dT%H%M%S')}")
    for suffix in COMPANIONS:
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(aside.with_name(aside.name + suffix))
    logger.error("%s is damaged (%s); it was set aside as %s and a new one is begun", path, reason, aside)
    return aside


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _take_lock(path: Path) -> int:
    lock = os.open(_lock_path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StoreError(f"{path} is in use by another Flower; give each its own db") from None
    return lock


def _sweep(folder: Path) -> None:
    """Remove a temporary store whose process is gone, which is when its lock is free."""
    try:
        lock = _take_lock(folder / NAME)
    except (StoreError, OSError):
        return
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)


def damage_of(path: Path) -> str | None:
    """Why a file of ours cannot be used; None when it can, or there is none. Raises StoreError for a foreign one."""
    if not path.exists() or path.stat().st_size == 0:
        return None
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(MAGIC):
        raise StoreError(
            f"{path} is not a Flower database; move it away or name another file with db "
            "(a file of Flower 2.x can be imported with --import)"
        )
    if len(header) < 100:
        return "its header is cut short"
    size, version, application = _header(header)
    if application not in (0, APPLICATION_ID):
        raise StoreError(f"{path} is a SQLite database of another program; name another file with db")
    if version > VERSION:
        raise StoreError(f"{path} was written by a newer Flower (schema {version}, this one knows {VERSION})")
    wal = path.with_name(path.name + "-wal")
    whole = path.stat().st_size >= size or (wal.exists() and wal.stat().st_size > 0)
    if not whole:
        return "it is shorter than its header says"
    return _look_inside(path, application)


def _header(header: bytes) -> tuple[int, int, int]:
    """(size in bytes, user_version, application_id); SQLite file format, section 1.3."""
    (page_size,) = struct.unpack(">H", header[16:18])
    (pages,) = struct.unpack(">I", header[28:32])
    (version,) = struct.unpack(">I", header[60:64])
    (application,) = struct.unpack(">I", header[68:72])
    return (65536 if page_size == 1 else page_size) * pages, version, application


def _look_inside(path: Path, application: int) -> str | None:
    connection = sqlite3.connect(path)
    try:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if application == APPLICATION_ID and "tasks" in names:
            connection.execute("SELECT * FROM tasks ORDER BY id DESC LIMIT 1").fetchall()
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        connection.close()
    # A new file of ours has no application id until its first commit is checkpointed.
    if application == 0 and names and "tasks" not in names:
        raise StoreError(f"{path} is a SQLite database of another program; name another file with db")
    return None
