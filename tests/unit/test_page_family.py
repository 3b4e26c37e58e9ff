"""The family of a task: what is read, what is drawn, which path is the critical one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flower.store import Store
from flower.store.family import Family, Relative, relative_of
from flower.views.critical import critical_path
from flower.views.family import DRAWN_MOST, Picture, picture_of
from flower.views.graph import BETWEEN, COLUMNS_MOST, HEIGHT, NAME_MOST, WIDTH, Box
from tests.databases import EmptyStore


def task(uuid: str, parent: str | None = None, at: float = 1.0, **facts: Any) -> dict[str, Any]:
    """A task that began at `at` and ran for half a second."""
    times = {"received": at, "started": at, "succeeded": at + 0.5, "timestamp": at + 0.5, "runtime": 0.5}
    return {"uuid": uuid, "name": "t.a", "state": "SUCCESS", "root_id": "r", "parent_id": parent, **times, **facts}


def family(tasks: Sequence[dict[str, Any]], root: str = "r", line: tuple[str, ...] = ()) -> Family:
    members = {each["uuid"]: relative_of(each) for each in tasks}
    return Family(root, members, len(members), False, line)


def drawn(tasks: Sequence[dict[str, Any]], current: str = "r", **more: Any) -> Picture:
    picture = picture_of(family(tasks, **more), current)
    assert picture is not None
    return picture


def places(picture: Picture) -> list[tuple[str, int, int]]:
    """(uuid, depth, count) of every box."""
    return [(box.relative.uuid, box.depth, box.count) for box in picture.boxes]


# -- the picture


def test_chain_is_a_line() -> None:
    """A chain goes from left to right on one height."""
    picture = drawn([task("r"), task("a", "r"), task("b", "a")])
    assert ([("r", 0, 1), ("a", 1, 1), ("b", 2, 1)], 1) == (places(picture), len({box.y for box in picture.boxes}))


def test_parent_stands_in_the_middle() -> None:
    """The parent of a group is in the middle of its members."""
    first, *rest = drawn([task("r"), task("a", "r", 1), task("b", "r", 2), task("c", "r", 3)]).boxes
    assert rest[1].y == first.y


def test_equal_siblings_fold() -> None:
    """Of many siblings of one name and state two are shown, the others are one box."""
    picture = drawn([task("r"), *(task(f"c{n:02}", "r", n) for n in range(1, 40))], line=("r",))
    assert ([1, 1, 1, 1, 36], 40) == (sorted(box.count for box in picture.boxes), picture.shown)


def test_failed_sibling_is_not_folded_away() -> None:
    """One that failed among many that did not is a box of its own."""
    tasks = [task("r"), *(task(f"c{n:02}", "r", n) for n in range(1, 40)), task("bad", "r", 5, state="FAILURE")]
    assert "bad" in {box.relative.uuid for box in drawn(tasks).boxes if box.count == 1}


def test_task_itself_is_not_folded_away() -> None:
    """The task of the page is a box of its own among its equals."""
    tasks = [task("r"), *(task(f"c{n:02}", "r", n) for n in range(1, 40))]
    assert ["c20"] == [box.relative.uuid for box in drawn(tasks, "c20", line=("c20", "r")).boxes if box.current]


def test_number_of_boxes_is_bounded() -> None:
    """A family of thousands of different tasks is drawn with some 200 boxes; the task itself is among them."""
    tasks = [task("r"), *(task(f"c{n}", "r", n, name=f"name {n}") for n in range(1, 1900))]
    picture = drawn(tasks, "c1800", line=("c1800", "r"))
    assert (True, True, True) == (
        len(picture.boxes) <= DRAWN_MOST + 5,
        any(box.current for box in picture.boxes),
        picture.shown <= picture.total,
    )


def test_unknown_parent_has_a_box() -> None:
    """A parent that was never seen is shown as such, behind a line that says that something is missing."""
    picture = drawn([task("r"), task("a", "gone")], "a")
    assert [("gone", True, True), ("a", False, False)] == [
        (box.relative.uuid, box.unseen, box.guessed) for box in picture.boxes[1:]
    ]


def test_unknown_root_has_a_box() -> None:
    """A root that was evicted is shown as not seen."""
    assert (True, "") == ((box := drawn([task("a", "r")], "a").boxes[0]).unseen, box.state)


def test_no_family_no_picture() -> None:
    """A task alone has no picture."""
    assert picture_of(family([task("r")]), "r") is None


def test_long_name_keeps_its_end() -> None:
    """Of a long name the end is shown, which tells tasks apart."""
    short = drawn([task("r", name="x" * 50 + "end"), task("a", "r")]).boxes[0].short_name
    assert (NAME_MOST, True) == (len(short), short.endswith("end"))


IDS = st.sampled_from([*"abcdefgh", "r", "unknown", None])


@given(st.dictionaries(st.sampled_from("abcdefghr"), IDS, min_size=2), st.sampled_from("abcr"))
def test_any_parents(parents: dict[str, str | None], current: str) -> None:
    """Circles, strangers, tasks that are their own parents: everybody is drawn once, and no two boxes overlap."""
    picture = picture_of(family([task(uuid, parent) for uuid, parent in parents.items()]), current)
    assert picture is not None
    seen = [box.relative.uuid for box in picture.boxes]
    everybody = set(parents) <= set(seen) or picture.shown == len(parents)
    assert (len(seen), True, []) == (len(set(seen)), everybody, overlaps(picture.boxes))


def overlaps(boxes: Sequence[Box]) -> list[tuple[str, str]]:
    """The pairs of boxes that share a spot."""
    return [
        (one.relative.uuid, two.relative.uuid)
        for one, two in itertools.combinations(boxes, 2)
        if abs(one.x - two.x) < WIDTH and abs(one.y - two.y) < HEIGHT
    ]


def test_many_siblings_stand_in_a_block() -> None:
    """Two hundred children of different names stand in rows, in one frame with one line, without overlap."""
    tasks = [task("r"), *(task(f"c{n}", "r", n + 1.0, name=f"name {n}") for n in range(190)), task("d", "c7", 500.0)]
    picture = drawn(tasks, "c100", line=("c100", "r"))
    [block] = picture.blocks
    rows = -(-len(block.boxes) // COLUMNS_MOST)
    assert ([], COLUMNS_MOST, True) == (
        overlaps(picture.boxes),
        len({box.x for box in block.boxes}),
        picture.height < (rows + 4) * (HEIGHT + BETWEEN) + 100,
    )


def test_critical_task_stands_outside_the_block() -> None:
    """The line of the critical path leads to a box, not into a frame of many."""
    tasks = [task("r"), *(task(f"c{n}", "r", n + 1.0, name=f"name {n}") for n in range(30))]
    assert [None, None] == [box.block for box in drawn(tasks).boxes if box.critical]


# -- the critical path


def test_critical_path_ends_where_the_family_ends() -> None:
    """The path leads from the root to the task that ended last."""
    tasks = [task("r"), task("a", "r", 2), task("b", "r", 3), task("late", "a", 9), task("c", "b", 4)]
    assert ["r", "a", "late"] == [each.uuid for each in critical_path(family(tasks).members)]


def test_running_task_is_on_the_critical_path() -> None:
    """What still runs ends later than all that has ended."""
    running = task("run", "r", 1, state="STARTED", succeeded=None)
    assert ["r", "run"] == [
        each.uuid for each in critical_path(family([task("r"), running, task("a", "r", 99)]).members)
    ]


def test_critical_path_tells_shares() -> None:
    """Each step tells which share of the whole it ran."""
    picture = drawn([task("r", at=0.0), task("a", "r", 0.5)])
    assert (1.0, [0.5, 0.5]) == (picture.seconds, [step.share for step in picture.critical])


def test_critical_path_tells_what_nobody_worked() -> None:
    """The time in which none of the path ran is told; tasks that overlap leave none."""
    apart, together = [task("r", at=0.0), task("a", "r", 2.0)], [task("r", at=0.0), task("a", "r", 0.25)]
    assert (1.5, 0.0) == (drawn(apart).idle, drawn(together).idle)


# -- reading


@pytest.fixture
def store(empty: EmptyStore) -> Iterator[Store]:
    with empty() as opened:
        yield opened


def test_family_is_found_from_any_member(store: Store) -> None:
    """Root, siblings and their children are found from a grandchild."""
    store.write([task("r"), task("a", "r"), task("b", "r"), task("c", "a"), task("x", None, root_id="x")])
    found = store.family("c", "r")
    assert ({"r", "a", "b", "c"}, 4, ("c", "a", "r")) == (set(found.members), found.total, found.line)


def test_family_without_a_known_root(store: Store) -> None:
    """Without a root the highest ancestor that is stored begins the family."""
    store.write([task("a", root_id=None), task("b", "a", root_id=None)])
    assert ("a", {"a", "b"}) == ((found := store.family("b", None)).root, set(found.members))


def test_large_family_is_read_in_part(store: Store) -> None:
    """Of thousands some are read, those near the task among them, and all are counted."""
    store.write([task("r"), *(task(f"c{n}", "r", float(n + 1)) for n in range(5000)), task("deep", "c4999")])
    found = store.family("deep", "r")
    assert (5002, True, True) == (found.total, len(found.members) < 2500, {"deep", "c4999", "r"} <= set(found.members))


def test_circle_ends(store: Store) -> None:
    """Tasks that name each other as parents do not keep the reader for ever."""
    store.write([task("a", "b", root_id="a"), task("b", "a", root_id="a")])
    assert {"a", "b"} == set(store.family("a", "a").members)


def test_unended_relative() -> None:
    """A task that runs has no end."""
    assert Relative("u", "n", "STARTED", None, None, 1.0, 2.0, None, None) == relative_of(
        {"uuid": "u", "name": "n", "state": "STARTED", "received": 1.0, "started": 2.0, "parent_id": "u"}
    )
