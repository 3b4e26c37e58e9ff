"""Take the pictures of docs/screenshots: each page of the demonstration, light, dark and on a phone.

`python -m scripts.screenshots [--seconds=N] [page ...]` starts the demonstration, lets it live for so many seconds
(330 by default: the charts of the last five minutes are full then), and takes the named pages, or all. With `--url=URL`
it looks at what runs there instead.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import requests
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, LOOKS
from tests.services import Process, free_port, program

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
COLOURS = 256
"""The commonest stay as they are, the rest becomes the nearest of them: a third of the space."""
RARE, FAR = 40, 40.0
"""So many places are for rare colours that are far from all others: a small red dot stays red."""


LOGIN = ("shop", "demo")
USER: Any = {"username": LOGIN[0], "password": LOGIN[1]}


class Picture(NamedTuple):
    """A page: where it is, or by which search the newest task is found that it shows; and what is scrolled to."""

    path: str = ""
    task: str = ""
    region: str = ""


PICTURES = {
    "overview": Picture("/?window=5m"),
    "tasks": Picture("/tasks"),
    "task": Picture(task="name:shop.payments.charge state:FAILURE -retries:0"),
    "family": Picture(task="name:shop.catalog.publish received:<-20s", region="#family"),
    "workers": Picture("/workers"),
    "worker": Picture("/worker/orders@shop"),
    "queues": Picture("/broker"),
    "queue": Picture("/queue/orders?window=15m"),
    "api": Picture("/api/docs"),
    "error": Picture("/nowhere"),
}


def path_of(site: str, picture: Picture) -> str:
    """Where the picture is taken."""
    if not picture.task:
        return picture.path
    asked = {"search": picture.task, "limit": 1}
    found = requests.get(f"{site}/api/tasks", asked, auth=LOGIN, timeout=10).json()["tasks"]
    if not found:
        raise SystemExit(f"no task is {picture.task}: let the demonstration live longer")
    return f"/task/{found[0]['uuid']}"


def take(page: Page, url: str, region: str, file: Path) -> None:
    """Take one picture, when everything on the page is drawn."""
    answer = page.goto(url, wait_until="load")
    if answer is None or answer.status >= 500:
        raise SystemExit(f"{url} failed: no picture of that")
    page.wait_for_selector("html.scripted #connection:is([data-kind=live], [data-kind=stale])")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(600)  # charts and regions that are fetched when the page is there
    if region:
        page.locator(region).evaluate("part => scrollTo(0, part.getBoundingClientRect().top + scrollY - 72)")
    page.screenshot(path=file, animations="disabled")
    shrink(file)


def shrink(file: Path) -> None:
    """Reduce a picture to its commonest colours."""
    with Image.open(file) as opened:
        image = opened.convert("RGB")
    pixels = list(zip(*[iter(image.tobytes())] * 3, strict=True))
    counts = Counter(pixels)
    ranked = [colour for colour, _ in counts.most_common()]
    kept, rest = ranked[: COLOURS - RARE], ranked[COLOURS - RARE :]
    for colour in rest:
        if len(kept) < COLOURS and min(math.dist(colour, other) for other in kept) > FAR:
            kept.append(colour)
    places = {colour: place for place, colour in enumerate(kept)}
    for colour in counts.keys() - places.keys():
        places[colour] = places[min(kept, key=lambda other: math.dist(colour, other))]
    small = Image.frombytes("P", image.size, bytes(places[pixel] for pixel in pixels))
    small.putpalette(bytes(part for colour in kept for part in colour))
    small.save(file, optimize=True)


def take_all(site: str, names: list[str]) -> None:
    """Take each named page in each look."""
    FOLDER.mkdir(exist_ok=True)
    paths = {name: path_of(site, PICTURES[name]) for name in names}
    with sync_playwright() as playwright:
        path = program("chromium", "chromium-browser", "google-chrome")
        chromium = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        for look, options in LOOKS.items():
            context = chromium.new_context(**options, timezone_id="UTC", reduced_motion="reduce", http_credentials=USER)
            for name in names:
                page = context.new_page()
                take(page, site + paths[name], PICTURES[name].region, FOLDER / f"{name}-{look}.png")
                page.close()
            context.close()
        chromium.close()


@contextmanager
def demonstration(seconds: float) -> Iterator[str]:
    """The address of a demonstration that has lived for so long; tracebacks show the path of its copy."""
    with TemporaryDirectory(prefix="flower-") as folder:
        demo, port = Process(Path(folder), "demo"), free_port()
        copy = shutil.copytree(ROOT / "examples" / "demo", Path(folder) / "shop")
        options = (f"--port={port}", f"--basic_auth={':'.join(LOGIN)}")
        demo.spawn(sys.executable, str(copy / "run.py"), *options, env={"TMPDIR": folder})
        try:
            demo.wait_for(lambda: "Ctrl-C" in demo.log, 60, "the demonstration runs")
            time.sleep(seconds)
            yield f"http://127.0.0.1:{port}"
        finally:
            demo.end()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=330)
    parser.add_argument("--url")
    parser.add_argument("pages", nargs="*", metavar="page", help=", ".join(PICTURES))
    given = parser.parse_args()
    names = given.pages or list(PICTURES)
    if unknown := [name for name in names if name not in PICTURES]:
        parser.error(f"no such page: {', '.join(unknown)}")
    if given.url:
        take_all(given.url.rstrip("/"), names)
        return
    with demonstration(given.seconds) as site:
        take_all(site, names)


if __name__ == "__main__":
    main()
