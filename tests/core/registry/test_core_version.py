"""A plugin of one version beside a core of another is refused in one line before it is imported."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

from denas_core.errors import PluginError
from denas_core.registry.core_version import accepts, core_requirement
from denas_core.registry.registry import Registry
from denas_core.version import __version__


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """A folder with a plugin that needs a later core, and whose import would fail."""
    folder = tmp_path / "denas_later-9.0.0.dist-info"
    folder.mkdir()
    lines = ["Metadata-Version: 2.1", "Name: denas-later", "Version: 9.0.0", "Requires-Dist: numpy"]
    lines += ["Requires-Dist: denas-core[train] (>=9.0,<9.1)"]
    (folder / "METADATA").write_text("\n".join(lines) + "\n")
    (folder / "entry_points.txt").write_text("[denas]\nlater = denas_later\n")
    (tmp_path / "denas_later.py").write_text("from denas_core import NotThereYet\n")
    return tmp_path


REASON = f"needs denas-core>=9.0,<9.1, and {__version__} is installed; pip install -U denas-core denas-later"


def test_a_plugin_that_needs_another_core_says_so_and_is_not_imported(later: Path) -> None:
    found = importlib.metadata.distributions(path=[str(later)])
    registry = Registry.discover(point for dist in found for point in dist.entry_points)
    (plugin,) = registry.plugins
    assert (plugin.status, plugin.reason) == ("broken", REASON)
    with pytest.raises(
        PluginError, match=r"plugin 'later' \(denas-later 9.0.0\) .*needs denas-core>=9.0,<9.1"
    ):
        registry.resolve("score", "later/zen")


@pytest.mark.parametrize("arguments", [["--help"], ["plugins"]])
def test_help_and_plugins_say_it_in_one_line(later: Path, arguments: list[str]) -> None:
    paths = os.pathsep.join([str(later), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "denas_core.cli", *arguments],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "denas-later" in line]
    assert line.rstrip().endswith(REASON)


@pytest.mark.parametrize(
    ("needed", "version", "expected"),
    [
        (">=0.1,<0.2", "0.1.0", True),
        (">=0.1,<0.2", "0.1.7", True),
        (">=0.1,<0.2", "0.2.0", False),
        (">=0.2,<0.3", "0.1.9", False),
        (">=0.2,<0.3", "0.2.0.dev1", True),
        ("~=0.1.2", "0.1.9", True),
        ("~=0.1.2", "0.2.0", False),
        ("==0.1.*", "0.1.4", True),
        ("==0.1.*", "0.2", False),
        ("!=0.1.*", "0.1.4", False),
        ("==0.1", "0.1.0", True),
        (">0.1.0", "0.1", False),
        ("<=0.1", "0.1.0", True),
        ("===local", "0.1.0", True),
        ("", "0.1.0", True),
    ],
)
def test_bounds_are_read_as_pip_reads_them(needed: str, version: str, expected: bool) -> None:
    assert accepts(needed, version) is expected


def test_requirements_of_extras_and_of_others_do_not_count() -> None:
    assert core_requirement(["denas-core-tools>=3", "denas_core >= 0.1, < 0.2"]) == ">=0.1,<0.2"
    assert core_requirement(["denas-core>=9; extra == 'new'", "numpy"]) == ""
    assert core_requirement(["denas-core"]) == ""
