"""The search language: what is found, what is refused, and where."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytz

from flower.utils.search import (
    FIELDS,
    KINDS,
    MAX_CHARACTERS,
    MAX_NESTING,
    MAX_TOKENS,
    WORD_COLUMNS,
    Query,
    QuerySyntaxError,
    parse_query,
    parse_search_terms,
    preprocess_search_value,
    satisfies_search_terms,
    stringified_dict_contains_value,
    task_args_contains_search_args,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=timezone.utc).timestamp()
HINT = "(quote the term to search it as text)"
TASK: dict[str, Any] = {
    "uuid": "2b7a3a4e-aaaa-bbbb-cccc-000000000001",
    "name": "shop.tasks.Send_Invoice",
    "state": "FAILURE",
    "worker": "celery@w1",
    "args": "('customer-42', 'two words', 100)",
    "kwargs": "{'queue': 'priority', 'note': 'a, b', 'n': 5, 'ids': [1, 2]}",
    "result": None,
    "exception": "KeyError('größe')",
    "traceback": 'Traceback\n  File "views.py"',
    "queue": "billing",
    "runtime": 1.25,
    "retries": 2,
    "sent": NOON - 7205.0,
    "received": NOON - 7200.0,
    "started": NOON - 60.0,
    "failed": NOON,
    "root_id": "9f000000-aaaa-bbbb-cccc-000000000009",
    "parent_id": None,
}


def found(text: str, **facts: Any) -> bool:
    return parse_query(text, now=NOON).matches({**TASK, **facts})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \t ",
        "invoice",
        "SEND_INVOICE",
        "e",
        "2b7a3a4e",
        "failure",
        "w1",
        "customer-42",
        "priority",
        "keyerror",
        "views.py",
        "billing",
        "GRÖßE",
        "GRÖSSE",
        "invoice billing",
        "invoice AND billing",
        "nothing OR billing",
        "nothing OR invoice billing",
        "(nothing OR invoice) (billing OR nothing)",
        "NOT nothing",
        "NOT NOT invoice",
        "-nothing",
        "-(nothing OR nobody)",
        "-name:nothing",
        '-"nothing"',
        '"two words"',
        'two" "words',
        "two\\ words",
        '"KeyError(\'"',
        "KeyError\\(",
        'args:"two words"',
        "name:send_invoice",
        "NAME:Send_Invoice",
        "state:failure",
        "state:RETRY,Failure",
        "-state:SUCCESS",
        "worker:celery@w1",
        "kwargs:queue",
        "kwargs:queue=priority",
        "kwargs:QUEUE=Priority",
        'kwargs:"note=a, b"',
        "kwargs:n=5",
        'kwargs:"ids=[1, 2]"',
        "exception:keyerror",
        "exc:keyerror",
        "traceback:views",
        "queue:billing",
        "uuid:2b7a3a4e",
        "uuid:2B7A3A4E",
        "root:9f000000",
        "-parent:9f000000",
        "-result:x",
        "runtime:>1",
        "runtime:>=1.25",
        "runtime:>=1250ms",
        "runtime:<1.5s",
        "runtime:<=1.25",
        "runtime:<1m",
        "runtime:1",
        "runtime:1.2",
        "runtime:1.25s",
        "runtime:1..5",
        "runtime:1.25..",
        "runtime:..1.25",
        "runtime:500ms..0.5m",
        "retries:2",
        "retries:>1",
        "retries:1..2",
        "failed:-1s",
        "started:-1h",
        "started:-1m",
        "received:<-1h",
        "received:<=-2h",
        "received:>-2h1s",
        "received:-3h..-1h",
        "received:-3h..",
        "received:2026-11-21",
        "received:2026-11-21T10",
        "received:2026-11-21T10:00",
        "received:2026-11-21T10:00:00",
        'received:"2026-11-21 10:00"',
        "received:2026-11-21T10:00Z",
        "received:2026-11-21T11:00+01:00",
        "received:2026-11-21T05:00-0500",
        "received:>2026-11-21",
        "received:>=2026-11-21T10:00:00",
        "received:<=2026-11-21",
        "received:<2026-11-22",
        "received:2026-11-20..2026-11-21",
        "failed:2026-11-21T12:00:00.000",
    ],
)
def test_the_task_is_found(text: str) -> None:
    """Each of these describes the task."""
    assert found(text)


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "-invoice",
        "NOT invoice",
        "NOT (invoice AND billing)",
        "invoice nothing",
        "nothing OR nobody",
        "invoice -billing",
        "state:FAIL",
        "state:SUCCESS,RETRY",
        "name:w1",
        "kwargs:queue=prio",
        "kwargs:note=a",
        "kwargs:n=50",
        "kwargs:ids=1",
        "uuid:aaaa",
        "parent:9f",
        "result:x",
        "queue:celery",
        "runtime:>1.25",
        "runtime:<1.25",
        "runtime:1.3",
        "runtime:2..",
        "retries:3",
        "succeeded:-1h",
        "received:-1h",
        "received:>-1h",
        "received:<-3h",
        "received:2026-11-20",
        "received:2026-11-21T10:01",
        "received:<2026-11-21",
        "received:>2026-11-21T10:00",
        "received:2026-11-21T10:00+01:00",
        "received:2026-11-19..2026-11-20",
        '"runtime:>1"',
        "runtime\\:>1",
    ],
)
def test_the_task_is_not_found(text: str) -> None:
    """None of these describes the task."""
    assert not found(text)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_the_example_of_every_field_is_read(field: Any) -> None:
    """The table's examples are searches."""
    assert parse_query(f"{field.name}:{field.example}")


@pytest.mark.parametrize("column", WORD_COLUMNS)
def test_a_word_looks_through_every_text(column: str) -> None:
    """A word without a field finds a task by any of its texts."""
    assert parse_query("needle").matches({column: "a NeeDle in it"})


@pytest.mark.parametrize("text", ["http://shop", "bogus:thing", "12:30", ":x", "a:b:c", "state\\:x", '"state:x"'])
def test_an_unknown_field_is_text(text: str) -> None:
    """What looks like a field but is none is searched as it stands."""
    assert parse_query(text).matches({"args": f"<{text.strip(chr(34)).replace(chr(92), '')}>"})


@pytest.mark.parametrize(
    "text", ["and", "or", "not", '"AND"', '"OR"', "AN\\D D", "-", "a - b", "--", "x-y", "C:\\temp"]
)
def test_only_plain_capitals_are_operators(text: str) -> None:
    """Small letters, quotes and lone dashes are words."""
    assert parse_query(text)


@pytest.mark.parametrize("blank", ["%", "_", "/", "*", "?", "[", "'", ";"])
def test_no_character_is_a_wildcard(blank: str) -> None:
    """A character stands for itself."""
    assert not parse_query(f"a{blank}c").matches({"name": "abc"})


@pytest.mark.parametrize(
    "text, told",
    [
        ('"unterminated', "Unterminated quoted phrase at position 0."),
        ('a "b', "Unterminated quoted phrase at position 2."),
        ("(abc", "Missing closing parenthesis at position 0."),
        ("a (", "Missing closing parenthesis at position 2."),
        ("abc)", "Unexpected ')' at position 3."),
        ("()", "Empty group at position 0."),
        ("abc OR", "OR must be followed by a search term at position 4."),
        ("abc AND", "AND must be followed by a search term at position 4."),
        ("abc AND OR abc", "AND must be followed by a search term at position 4."),
        ("(abc OR)", "OR must be followed by a search term at position 5."),
        ("NOT", "NOT must be followed by a search term at position 0."),
        ("a NOT AND b", "NOT must be followed by a search term at position 2."),
        ("OR abc", "Expected a search term at position 0."),
        ("AND", "Expected a search term at position 0."),
        ("a (OR b)", "Expected a search term at position 3."),
        (")", "Expected a search term at position 0."),
        ("state:", "Search qualifier requires a value at position 0."),
        ('a name:""', "Search qualifier requires a value at position 2."),
        ('""', "Empty search term at position 0."),
        ('-""', "Empty search term at position 1."),
        ("(" * 21 + "a" + ")" * 21, "Query nesting exceeds 20 levels at position 20."),
        ("a" * 2049, "Query exceeds 2048 characters."),
        ("abc " * 129, "Query exceeds 128 tokens."),
    ],
)
def test_an_error_says_what_and_where(text: str, told: str) -> None:
    """A search that cannot be read is refused in one sentence."""
    with pytest.raises(QuerySyntaxError) as error:
        parse_query(text)
    assert told == str(error.value)


@pytest.mark.parametrize(
    "text, told",
    [
        ("x runtime:fast", f"runtime takes {KINDS['duration']}, not 'fast' {HINT} at position 2."),
        ("retries:1s", f"retries takes {KINDS['number']}, not '1s' {HINT} at position 0."),
        ("received:today", f"received takes {KINDS['time']}, not 'today' {HINT} at position 0."),
        ("failed:" + "x" * 99, f"failed takes {KINDS['time']}, not '{'x' * 40}...' {HINT} at position 0."),
    ],
)
def test_an_error_says_what_is_allowed(text: str, told: str) -> None:
    """A value that a field does not take is named, with what it would take, and how to search for it all the same."""
    with pytest.raises(QuerySyntaxError) as error:
        parse_query(text)
    assert told == str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "runtime:>",
        "runtime:..",
        "runtime:1...",
        "runtime:-1",
        "runtime:1x",
        "runtime:1e3",
        "runtime:nan",
        "runtime:٣",
        "retries:1..2..3",
        "received:-1",
        "received:-",
        "received:1h",
        "received:2026-13-01",
        "received:2026-11-31",
        "received:2026-11-21T25:00",
        "received:2026-11-21T10:00+99:00",
        "received:2026-1-1",
        "received:9999-12-31",
        "received:0000-01-01",
        "state:,",
    ],
)
def test_a_value_that_the_field_does_not_take_is_refused(text: str) -> None:
    """Numbers and times are checked when they are read."""
    with pytest.raises(QuerySyntaxError):
        parse_query(text)


def test_the_parts_of_an_error() -> None:
    """Message and position are at hand apart from each other; it is a ValueError."""
    with pytest.raises(ValueError) as error:
        parse_query("abc)")
    assert isinstance(error.value, QuerySyntaxError)
    assert ("Unexpected ')'", 3) == (error.value.message, error.value.position)


def test_the_limits_can_be_reached() -> None:
    """2,048 characters, 128 words and 20 levels are still read."""
    assert all(map(parse_query, ["a" * 2048, " ".join(["abc"] * 128), "(" * 20 + "a" + ")" * 20]))


@pytest.mark.parametrize(
    "zone",
    [timezone(timedelta(hours=2)), ZoneInfo("Europe/Helsinki"), pytz.timezone("Europe/Helsinki")],
    ids=["offset", "zoneinfo", "pytz"],
)
def test_times_without_a_zone_are_of_the_given_one(zone: Any) -> None:
    """The caller says where it is 10 o'clock."""
    assert parse_query("received:2026-11-21T12:00", tz=zone).matches(TASK)


def test_a_day_lasts_from_midnight_to_midnight() -> None:
    """A day of 25 hours (the end of summer time) is found whole."""
    day = parse_query("received:2026-10-25", tz=ZoneInfo("Europe/Berlin"))
    start = datetime(2026, 10, 25, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    hits = [day.matches({"received": start + hours * 3600.0}) for hours in (-0.1, 0.0, 24.9, 25.0)]
    assert [False, True, True, False] == hits


def test_ages_move_with_the_clock() -> None:
    """A query asked again later refers to the later moment."""
    query = parse_query("received:-1h", now=NOON)
    assert [False, True] == [query.matches(TASK), query.matches(TASK, now=NOON - 3600)]


def test_queries_are_equal_when_they_find_the_same() -> None:
    """Spelling does not count, nor does the clock where there is no age."""
    assert parse_query("a  AND b", now=1.0) == parse_query("(a b)", now=2.0)


def test_queries_of_different_moments_differ() -> None:
    """An age means something else at another time."""
    assert parse_query("sent:-1h", now=1.0) != parse_query("sent:-1h", now=2.0)


def test_a_query_can_be_a_key() -> None:
    """Equal queries have equal hashes."""
    assert 1 == len({parse_query("a b"), parse_query("a AND b")})


def test_a_query_knows_its_text() -> None:
    """What was typed is kept for the search box."""
    assert "state:FAILURE x" == parse_query("state:FAILURE x").text


def test_an_empty_query_narrows_nothing() -> None:
    """Nothing typed is false, something typed is true."""
    assert [False, False, True] == [bool(query) for query in (Query(), parse_query(" "), parse_query("x"))]


@pytest.mark.parametrize(
    "kwargs",
    [
        "{'a': \"it's\"}",
        "{'a': 'it\\'s'}",
        '{"a": "it\'s"}',
        '{"a":"it\'s"}',
        "{'b': 1, 'a': 'it\\'s', ...}",
    ],
)
def test_a_pair_is_found_however_it_was_written(kwargs: str) -> None:
    """Celery, Python and JSON quote differently."""
    assert parse_query("kwargs:a=it's").matches({"kwargs": kwargs})


def test_a_pair_with_an_empty_value() -> None:
    """Nothing after the equals sign is the empty text."""
    hits = [parse_query("kwargs:a=").matches({"kwargs": text}) for text in ("{'a': ''}", "{'a': 'x'}")]
    assert [True, False] == hits


@pytest.mark.parametrize("value", ["5", "True", "none", "1.5", "[1, 2]"])
def test_a_value_without_quotes_is_whole(value: str) -> None:
    """A number, True, None or a list is compared as text, to its end."""
    query = parse_query(f'kwargs:"a={value}"')
    assert [True, True, False] == [
        query.matches({"kwargs": f"{{'a': {value}{end}"}) for end in ("}", ", 'b': 1}", "0}")
    ]


def test_a_task_may_be_an_object() -> None:
    """Attributes serve as well as items, and a worker may be an object with a hostname."""
    task = SimpleNamespace(name="tasks.add", worker=SimpleNamespace(hostname="celery@w1"), runtime=2)
    assert parse_query("add worker:w1 runtime:2").matches(task)


def test_values_are_searched_by_their_text() -> None:
    """Args, kwargs and results that are lists and dicts already are searched like their texts."""
    assert parse_query("args:42 kwargs:a=5").matches({"args": [41, 42], "kwargs": {"a": 5}})


def test_what_no_database_keeps_is_replaced() -> None:
    """NUL and lone surrogates become U+FFFD, so that SQL can be asked for them."""
    assert "a\ufffd\ufffd" == parse_query("a\x00\ud800").text


# The functions of Flower 2.0


def test_search_terms_are_a_list() -> None:
    """One entry a term that must hold."""
    assert 2 == len(parse_search_terms("name:my_task state:FAILURE"))


@pytest.mark.parametrize("raw", [None, "", "  "])
def test_no_search_has_no_terms(raw: str | None) -> None:
    """Nothing searched is an empty list."""
    assert [] == parse_search_terms(raw)


@pytest.mark.parametrize(
    "raw, expected",
    [("", True), ("invoice views.py", True), ("invoice nothing", False), ("name:invoice state:FAILURE", True)],
)
def test_all_search_terms_must_be_satisfied(raw: str, expected: bool) -> None:
    """Terms are joined by and; tracebacks are looked through."""
    assert expected == satisfies_search_terms(TASK, parse_search_terms(raw))


@pytest.mark.parametrize(
    "key, value, text, expected",
    [
        ("a", "b", "{'a': 'b'}", True),
        ("a", 5, "{'a': 5, 'c': 1}", True),
        ("a", 5, "{'a': 55}", False),
        ("a", "b", "{'c': 'b'}", False),
        ("a", "b", "", False),
        ("a", "b", None, False),
    ],
)
def test_a_dict_in_a_text(key: str, value: Any, text: str | None, expected: bool) -> None:
    """Key and value are found together or not at all."""
    assert expected is stringified_dict_contains_value(key, value, text)


@pytest.mark.parametrize("raw, expected", [(None, ""), ("", ""), ("  a b ", "a b")])
def test_blanks_around_a_search_are_nothing(raw: str | None, expected: str) -> None:
    """Only what is between them counts."""
    assert expected == preprocess_search_value(raw)


@pytest.mark.parametrize(
    "arguments, wanted, expected",
    [
        (["customer-42", 7], ["42"], True),
        (["customer-42", 7], ["42", "7"], True),
        (["customer-42", 7], ["42", "8"], False),
        ("('Customer-42', 7)", ["customer"], True),
        ({"a": 5}, ["a=5"], True),
        (["x"], [], True),
        ([], ["x"], False),
        (None, ["x"], False),
        ("", ["x"], False),
        (["x"], "x", True),
    ],
)
def test_arguments_contain_all_that_is_wanted(arguments: Any, wanted: Any, expected: bool) -> None:
    """Each wanted text occurs in some argument."""
    assert expected is task_args_contains_search_args(arguments, wanted)


# The documentation

SEARCH_MD = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_is_documented(field: Any) -> None:
    """docs/search.md has the row of the table of fields, word for word."""
    names = " or ".join(f"`{name}:`" for name in (field.name, *field.aliases))
    assert f"| {names} | {field.help} | {field.kind} | `{field.name}:{field.example}` |\n" in SEARCH_MD


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_value_is_documented(kind: Any) -> None:
    """docs/search.md says what each kind of field takes."""
    assert f"- **{kind}**: {KINDS[kind]}\n" in SEARCH_MD


def test_every_word_column_is_documented() -> None:
    """docs/search.md names the texts that a word is looked for in."""
    assert f"anywhere in {', '.join(WORD_COLUMNS[:-1])} or {WORD_COLUMNS[-1]} |" in SEARCH_MD


def test_the_limits_are_documented() -> None:
    """docs/search.md says how long and how deep a search may be."""
    limits = f"up to {MAX_NESTING} levels", f"{MAX_CHARACTERS:,} characters and {MAX_TOKENS} words"
    assert [True, True] == [limit in SEARCH_MD for limit in limits]


@pytest.mark.parametrize("line", [line for line in SEARCH_MD.split("```")[1].splitlines() if line])
def test_the_documented_searches_can_be_read(line: str) -> None:
    """The examples at the top of docs/search.md are searches."""
    assert parse_query(line)


@pytest.mark.parametrize(
    "text",
    [
        *("runtime:>5", "runtime:1..5", "runtime:1..", "runtime:..5", "runtime:1.2", "runtime:3m", "runtime:1h30m"),
        *("received:2026-11-21T10", "received:<=2026-11-21", "received:<-1h", "received:-2h..-1h"),
    ],
)
def test_the_documented_values_can_be_read(text: str) -> None:
    """Values from the tables of docs/search.md are taken."""
    assert text.partition(":")[2] in SEARCH_MD
    assert parse_query(text)
