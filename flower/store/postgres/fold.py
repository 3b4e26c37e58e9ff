"""`str.casefold` in SQL, letter by letter as Python has it, so that a search finds the same in both engines."""

from __future__ import annotations

NAME = "flower_fold"
SMALL = '(lower($1 COLLATE "und-x-icu") COLLATE "C")'
"""Nearly all of it; every build of PostgreSQL that is in use has the collation."""


def definition() -> str:
    """The statement that makes the function."""
    letters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    left = {letter: letter.casefold() for letter in letters if letter.casefold() != letter == letter.lower()}
    several = {letter: folded for letter, folded in left.items() if len(folded) > 1}
    single = {letter: folded for letter, folded in left.items() if len(folded) == 1}
    folded = f"translate({SMALL}, '{''.join(single)}', '{''.join(single.values())}')"
    replaced = folded
    for letter, letters_of_it in several.items():
        replaced = f"replace({replaced}, '{letter}', '{letters_of_it}')"
    # Most texts are ASCII, which has as many bytes as letters, and most others have nothing that becomes longer.
    return f"""
CREATE OR REPLACE FUNCTION {NAME}(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $fold$
SELECT CASE WHEN octet_length($1) = length($1) THEN lower($1 COLLATE "C")
WHEN {SMALL} ~ '[{"".join(several)}]' THEN {replaced}
ELSE {folded} END
$fold$
"""
