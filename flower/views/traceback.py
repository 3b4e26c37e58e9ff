"""A traceback taken apart: the exception, and frames of the application apart from those of libraries.

Whatever is not understood stays as it is: nothing of the text is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

FRAME = re.compile(r'^(?P<margin>[ |+-]*)File "(?P<file>[^"]*)", line (?P<line>\d+)(?:, in (?P<function>.*))?$')
HEAD = re.compile(r"^[ |+-]*(?:Exception Group )?Traceback \(most recent call last\):\s*$")
REPEATED = re.compile(r"^[ |]*\[Previous line repeated \d+ more times?\]$")
BETWEEN = {
    "The above exception was the direct cause of the following exception:": "cause",
    "During handling of the above exception, another exception occurred:": "meanwhile",
}
LIBRARY = re.compile(
    r"site-packages|dist-packages|[\\/]lib[\\/]python\d|[\\/]lib64[\\/]python\d|[\\/]Lib[\\/]|^<frozen |^<string>$"
    r"|[\\/](?:celery|kombu|billiard)[\\/]"
)
LINES_MOST = 5_000
"""Lines of a text that are taken apart; a longer one stays as it is."""


@dataclass(slots=True)
class Frame:
    """One call. `code` are the lines below its head: the source, and the marks under it."""

    file: str
    line: int
    function: str
    head: str
    code: list[str] = field(default_factory=list)

    @property
    def own(self) -> bool:
        """Whether it is code of the application, as far as its path tells."""
        return not LIBRARY.search(self.file)

    @property
    def text(self) -> str:
        """The source, without the margin."""
        lines = [line for line in self.code if line.strip()]
        margin = min((len(line) - len(line.lstrip(" |")) for line in lines), default=0)
        return "\n".join(line[margin:] for line in lines)


@dataclass(slots=True)
class Section:
    """One exception and how it came to be; `relation` is how the one before led to it."""

    relation: str = ""
    frames: list[Frame] = field(default_factory=list)
    message: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def exception(self) -> str:
        """What was raised."""
        return "\n".join(self.message).strip("\n")

    @property
    def runs(self) -> list[tuple[bool, list[Frame]]]:
        """(own, frames) of each row of frames of one sort. Without any own frame all are told as own."""
        found: list[tuple[bool, list[Frame]]] = []
        none_is_own = not any(frame.own for frame in self.frames)
        for frame in self.frames:
            own = frame.own or none_is_own
            if found and found[-1][0] == own:
                found[-1][1].append(frame)
            else:
                found.append((own, [frame]))
        return found


def sections_of(text: str) -> list[Section]:
    """The exceptions of a chain in the order of the text, the one that was raised last; empty for no traceback."""
    lines = text.split("\n")
    if len(lines) > LINES_MOST:
        return []
    sections, relation = [Section()], ""
    for line in lines:
        relation = BETWEEN.get(line.strip(" |\r"), "")
        if relation:
            sections.append(Section(relation))
        section = sections[-1]
        section.lines.append(line)
        if not relation:
            _take(section, line)
    return sections if any(section.frames for section in sections) else []


def _take(section: Section, line: str) -> None:
    """Put a line of the text where it belongs."""
    found = FRAME.match(line)
    if found and (not section.message or not "".join(section.message).strip()):
        section.message.clear()
        number = int(found["line"][:9])
        section.frames.append(Frame(found["file"], number, found["function"] or "", line))
    elif HEAD.match(line) and not section.message:
        return
    elif section.frames and not section.message and (_is_indented(line, section.frames[-1]) or REPEATED.match(line)):
        section.frames[-1].code.append(line)
    elif section.message or line.strip(" |"):
        section.message.append(line)


def _is_indented(line: str, frame: Frame) -> bool:
    """Whether a line stands deeper than the head of the frame above it, as source does."""
    margin = len(frame.head) - len(frame.head.lstrip(" |+-"))
    return bool(line.strip()) and len(line) - len(line.lstrip(" |")) > margin
