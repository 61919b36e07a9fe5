"""The distribution ``denas`` installs others and has no module; what publishes and shows the project fits it."""

from __future__ import annotations

import re
import tomllib
import zipfile
from itertools import chain
from pathlib import Path

import yaml
from packaging.requirements import Requirement

import denas_core
from tests.core.toy_searches import denas_here

from .environments import PROJECTS, ROOT, build

PROJECT = ROOT / "distributions/denas"


def order_of_publishing() -> list[str]:
    """Return the folders of distributions in the order in which ``.ci/wheels`` builds them."""
    text = (ROOT / ".ci/wheels").read_text(encoding="utf-8").replace("\\\n", " ")
    (folders,) = re.findall(r"^for project in (.+); do$", text, re.MULTILINE)
    return folders.split()


def siblings(folder: Path) -> set[str]:
    """Return the distributions of this repository that one of them needs, also with its extras."""
    facts = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*facts["dependencies"], *chain.from_iterable(facts.get("optional-dependencies", {}).values())]
    return {requirement.name for requirement in map(Requirement, lines) if requirement.name in PROJECTS}


def test_it_needs_others_of_its_version_and_has_no_module(tmp_path: Path) -> None:
    build(PROJECT, tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"denas-{denas_core.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        assert all(".dist-info/" in name for name in archive.namelist())
    facts = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [Requirement(line).name for line in facts["dependencies"]] == [
        "denas-core",
        "denas-scores",
        "denas-cv",
    ]
    major, minor, _ = denas_core.__version__.split(".")
    everything = [*facts["dependencies"], *chain.from_iterable(facts["optional-dependencies"].values())]
    assert {str(Requirement(line).specifier) for line in everything} == {
        f"<{major}.{int(minor) + 1},>={major}.{minor}"
    }


def test_every_distribution_is_published_after_those_that_it_needs() -> None:
    folders = {name: folder.relative_to(ROOT).as_posix() for name, folder in PROJECTS.items()}
    order = order_of_publishing()
    assert sorted(order) == sorted([*folders.values(), "distributions/denas"])
    for folder in order:
        for name in siblings(ROOT / folder):
            assert order.index(folders[name]) <= order.index(folder), f"{folder} needs {name}"


def test_workflows_and_templates_are_yaml() -> None:
    files = [*ROOT.glob(".github/**/*.yml"), ROOT / "CITATION.cff"]
    assert len(files) >= 4
    for file in files:
        assert isinstance(yaml.safe_load(file.read_text(encoding="utf-8")), dict), file
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == denas_core.__version__


def test_the_version_names_every_plugin() -> None:
    done = denas_here("--version")
    lines = done.stdout.splitlines()
    assert lines[0] == f"denas {denas_core.__version__}"
    assert f"denas-cv {denas_core.__version__}" in lines and len(lines) >= len(PROJECTS)
