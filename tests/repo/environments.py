"""Wheels of the distributions, and environments that hold nothing but chosen wheels and what they declare."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECTS = {
    tomllib.loads(path.read_text(encoding="utf-8"))["project"]["name"]: path.parent
    for path in [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]
}
"""Folder of each distribution."""


def build(project: Path, out: Path) -> None:
    """Build the wheel and the source archive of a project; needs no network."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(out)],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def requirements(lines: Iterable[str], *, extra: str = "") -> list[Requirement]:
    """Return the requirements that hold on this machine, without those of extras other than `extra`."""
    found = [Requirement(line) for line in lines]
    return [r for r in found if r.marker is None or r.marker.evaluate({"extra": extra})]


def closure(names: Iterable[str]) -> set[str]:
    """Return installed distributions and all that they require, and those require."""
    waiting, found = [canonicalize_name(name) for name in names], set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            lines = importlib.metadata.requires(name) or []
            waiting += [canonicalize_name(r.name) for r in requirements(lines)]
    return found


def make_site(site: Path, wheels: Iterable[Path]) -> Path:
    """Fill a folder with wheels, unpacked, and links to the installed packages that they declare."""
    site.mkdir()
    declared: list[str] = []
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
            (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        own = importlib.metadata.PathDistribution(site / Path(metadata).parent)
        declared += [r.name for r in requirements(own.requires or [])]
    for name in closure(name for name in declared if name not in PROJECTS):
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or []:
            top = file.parts[0]
            source = Path(str(distribution.locate_file(top)))
            if top not in ("..", "__pycache__") and source.exists() and not (site / top).exists():
                (site / top).symlink_to(source)
    return site


def python(
    *arguments: str, site: Path, cwd: Path, also: Iterable[Path] = ()
) -> subprocess.CompletedProcess[str]:
    """Run Python with the packages of `site` alone, and those of the folders `also`."""
    path = os.pathsep.join(map(str, [site, *also]))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        # -S: this environment's own packages, the checkout among them, are not there.
        [sys.executable, "-S", *arguments],
        cwd=cwd,
        env={**environment, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def denas(
    *arguments: str, site: Path, cwd: Path, also: Iterable[Path] = ()
) -> subprocess.CompletedProcess[str]:
    """Run ``denas`` with the packages of `site` alone."""
    return python("-c", "from denas_core.cli import main; main()", *arguments, site=site, cwd=cwd, also=also)
