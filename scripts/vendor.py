"""Copy the pinned third-party browser assets into the project, unedited, and write down their hashes.

`python scripts/vendor.py` fetches the versions named in package.json with npm, compares them with the hashes in
package-lock.json and replaces the copies;
`python scripts/vendor.py --check` only compares the copies with the hashes (no network).
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = Path("flower/static/vendor")
TESTED = Path("tests/browser/vendor")
HASHES = ROOT / SHIPPED / "hashes.json"

FILES: dict[str, dict[str, Path]] = {
    "@tabler/core": {"dist/css/tabler.min.css": SHIPPED / "tabler.min.css"},
    "htmx.org": {"dist/htmx.min.js": SHIPPED / "htmx.min.js", "LICENSE": SHIPPED / "htmx.LICENSE"},
    "idiomorph": {
        "dist/idiomorph-ext.min.js": SHIPPED / "idiomorph-ext.min.js",
        "LICENSE": SHIPPED / "idiomorph.LICENSE",
    },
    "uplot": {
        "dist/uPlot.iife.min.js": SHIPPED / "uplot.min.js",
        "dist/uPlot.min.css": SHIPPED / "uplot.min.css",
        "LICENSE": SHIPPED / "uplot.LICENSE",
    },
    "axe-core": {"axe.min.js": TESTED / "axe.min.js", "LICENSE": TESTED / "axe.LICENSE"},
}
"""npm package -> file in it -> where its copy lives.

Tabler's package brings no licence file: tabler.LICENSE is kept by hand."""


def pinned() -> dict[str, str]:
    """Package -> exact version, as package.json pins them."""
    package = json.loads((ROOT / "package.json").read_text())
    return {**package["dependencies"], **package["devDependencies"]}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def integrity(path: Path) -> str:
    """The hash of an archive as package-lock.json writes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


def locked(package: str) -> str:
    """The hash that package-lock.json has for the archive of a package."""
    return str(json.loads((ROOT / "package-lock.json").read_text())["packages"][f"node_modules/{package}"]["integrity"])


def fetch(package: str, version: str, folder: Path) -> Path:
    """Unpack one npm package below `folder` and return where its files are."""
    command = ["npm", "pack", f"{package}@{version}", "--json", "--pack-destination", str(folder)]
    packed = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout)  # noqa: S603  # fixed words
    entry = packed[0] if isinstance(packed, list) else next(iter(packed.values()))
    archive = folder / Path(entry["filename"]).name
    if integrity(archive) != locked(package):
        raise SystemExit(f"{package} {version} is not what package-lock.json has")
    target = folder / archive.stem
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    return target / "package"


def refresh() -> None:
    """Replace every copy and rewrite the hashes."""
    written = {}
    with tempfile.TemporaryDirectory() as name:
        for package, version in pinned().items():
            source = fetch(package, version, Path(name))
            for inside, copy in FILES[package].items():
                (ROOT / copy).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / inside, ROOT / copy)
                written[str(copy)] = {"package": package, "version": version, "sha256": digest(ROOT / copy)}
    HASHES.write_text(json.dumps(written, indent=2, sort_keys=True) + "\n")


def problems() -> list[str]:
    """What differs between the copies, their hashes and package.json; empty when all agree."""
    written = json.loads(HASHES.read_text())
    expected = {str(copy): package for package, files in FILES.items() for copy in files.values()}
    found = [f"{path}: not written down in {HASHES.name}" for path in sorted(expected.keys() - written.keys())]
    for path, entry in sorted(written.items()):
        if entry["version"] != pinned().get(entry["package"]):
            found.append(f"{path}: is {entry['package']} {entry['version']}, package.json pins another version")
        if not (ROOT / path).is_file():
            found.append(f"{path}: is missing")
        elif digest(ROOT / path) != entry["sha256"]:
            found.append(f"{path}: was edited")
    return found


def main() -> int:
    if "--check" not in sys.argv[1:]:
        refresh()
    found = problems()
    sys.stdout.write(("\n".join(found) or "vendored assets agree with package.json and their hashes") + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
