"""The lines of an exported table."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from flower.views.export import _csv_line

# The reader of Python 3.10 refuses NUL.
CELLS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1)


@given(CELLS)
def test_read_again(cells: list[str]) -> None:
    """Python's reader finds the same cells, whatever is in them."""
    text = io.StringIO(_csv_line(cells).decode(), newline="")
    assert [cells] == list(csv.reader(text))


def test_nul() -> None:
    """A NUL is written as it is."""
    assert b'a\0b,"c""d"\r\n' == _csv_line(["a\0b", 'c"d'])
