"""Style sheets, scripts and pictures: compressed once, named by what they hold, kept by browsers for ever.

The name of the whole set is part of every address (`/static/<digest>/js/x.js`), so that a script which imports
its neighbour by a relative address gets the neighbour of the same set.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import os
import re
from pathlib import Path
from typing import Any

from flower.web import StaticFiles

DIGEST_LENGTH = 12
VERSIONED = re.compile(rf"([0-9a-f]{{{DIGEST_LENGTH}}})/(.+)")
PACKED = {".css", ".js", ".svg", ".json", ".txt", ".html", ".LICENSE"}


class Assets(StaticFiles):
    """A file below the static folder, with or without the digest of the set in its address."""

    @classmethod
    def make_static_url(cls, settings: dict[str, Any], path: str, include_version: bool = True) -> str:
        version = f"{digest_of(settings)}/" if include_version else ""
        return f"{settings['static_url_prefix']}{version}{path}"

    def parse_url_path(self, url_path: str) -> str:
        found = VERSIONED.fullmatch(url_path)
        self._named = found is not None and found[1] == digest_of(self.settings)
        return super().parse_url_path(found[2] if found else url_path)

    def get_cache_time(self, path: str, modified: Any, mime_type: str) -> int:
        """Ten years under the name of the set; else the browser has to ask whether it changed."""
        return self.CACHE_MAX_AGE if self._named else 0

    def set_extra_headers(self, path: str) -> None:
        if self._named:
            self.set_header("Cache-Control", f"public, max-age={self.CACHE_MAX_AGE}, immutable")
        else:
            self.set_header("Cache-Control", "no-cache")

    async def get(self, path: str, include_body: bool = True) -> None:
        accepted = self.request.headers.get("Accept-Encoding", "")
        name = self.parse_url_path(path)
        file = Path(self.root, name)
        if "gzip" not in accepted or file.suffix not in PACKED or self.request.headers.get("Range"):
            await super().get(path, include_body)
            return
        self.path = name
        self.absolute_path = self.validate_absolute_path(self.root, self.get_absolute_path(self.root, name))
        if self.absolute_path is None:
            return
        self.modified = self.get_modified_time()
        self.set_headers()
        if self.should_return_304():
            self.set_status(304)
            return
        body = packed(self.absolute_path, os.stat(self.absolute_path).st_mtime_ns)
        # Already compressed, and once for all: the application leaves it as it is.
        self.set_header("Content-Encoding", "gzip")
        self.set_header("Content-Length", len(body))
        if include_body:
            self.write(body)


@functools.lru_cache(maxsize=256)
def packed(path: str, modified: int) -> bytes:
    """The compressed content of a file as of a modification."""
    return gzip.compress(Path(path).read_bytes(), 9, mtime=0)


def digest_of(settings: dict[str, Any]) -> str:
    """The name of the set of files; while debugging it follows their changes."""
    folder = settings["static_path"]
    if settings.get("debug"):
        times = sorted((str(file), file.stat().st_mtime_ns) for file in Path(folder).rglob("*") if file.is_file())
        return hashlib.sha256(repr(times).encode()).hexdigest()[:DIGEST_LENGTH]
    return _digest(folder)


@functools.cache
def _digest(folder: str) -> str:
    total = hashlib.sha256()
    for file in sorted(Path(folder).rglob("*")):
        if file.is_file():
            total.update(f"{file.relative_to(folder).as_posix()}\0".encode())
            total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()[:DIGEST_LENGTH]
