"""All distributions have one version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import denas_core

ROOT = Path(__file__).parents[2]
PROJECTS = [
    ROOT / "pyproject.toml",
    *sorted(ROOT.glob("plugins/*/pyproject.toml")),
    *sorted(ROOT.glob("distributions/*/pyproject.toml")),
]


def test_every_distribution_has_the_version_of_the_core() -> None:
    versions = {path: tomllib.loads(path.read_text())["project"]["version"] for path in PROJECTS}
    assert len(versions) >= 3
    assert set(versions.values()) == {denas_core.__version__}


def test_the_changelog_knows_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[?{re.escape(denas_core.__version__)}\b|^## \[Unreleased\]", text, re.MULTILINE)
