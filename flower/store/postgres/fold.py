"""`str.casefold` in SQL, letter by letter as Python has it, so that a search finds the same in both engines."""

from __future__ import annotations

NAME = "flower_fold"


def definition() -> str:
    """The statement that makes the function."""
    changed = [letter for letter in map(chr, _codes()) if letter.casefold() != letter]
    single = {letter: letter.casefold() for letter in changed if len(letter.casefold()) == 1}
    several = {letter: letter.casefold() for letter in changed if len(letter.casefold()) > 1}
    wide = f"translate($1, '{''.join(single)}', '{''.join(single.values())}')"
    for letter, folded in several.items():
        wide = f"replace({wide}, '{letter}', '{folded}')"
    # Most texts are ASCII, which has as many bytes as letters.
    return f"""
CREATE OR REPLACE FUNCTION {NAME}(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $fold$
SELECT CASE WHEN octet_length($1) = length($1) THEN lower($1 COLLATE "C") ELSE {wide} END
$fold$
"""


def _codes() -> list[int]:
    return [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
