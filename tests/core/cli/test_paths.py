"""Paths that a run cannot have, and folders that look like the package: one line that says what is the matter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_core.launch import run_search
from denas_core.registry.loading import installed_points
from denas_core.registry.registry import Registry
from denas_core.runs.files import read_run
from denas_core.runs.path_length import LONGEST
from tests.core.toy_searches import denas, environment, toy_config, toy_search

UNDECODABLE = os.fsdecode(b"r\xff")


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "toy/stairs", "--score", "toy/both", "-o", UNDECODABLE],
        ["trials", UNDECODABLE],
        ["train", "toy/stairs", "--data", UNDECODABLE, "--arch", "{}", "-o", "x"],
        ["search", "--config", UNDECODABLE],
    ],
)
def test_an_argument_that_is_not_utf_8_is_named_and_nothing_is_made(
    tmp_path: Path, arguments: list[str]
) -> None:
    done = denas(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: argument 'r\\xff' is not UTF-8 text; rename the file or folder\n"
    assert not list(tmp_path.iterdir())


def test_a_configuration_from_python_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        toy_config(Path(UNDECODABLE))
    assert str(caught.value) == (
        "key 'out' of the configuration holds 'r\\udcff', which is not valid UTF-8 text (test)"
    )


def test_a_run_may_lie_in_a_folder_whose_name_is_not_utf_8(tmp_path: Path) -> None:
    folder = tmp_path / UNDECODABLE
    folder.mkdir()
    options = ("--score", "toy/both", "--device", "cpu", "--budget", "3", "-o", "run")
    assert denas("search", "toy/stairs", *options, cwd=folder).returncode == 0
    done = denas("report", "run", cwd=folder)
    assert done.returncode == 0, done.stderr


def deep(folder: Path, length: int) -> Path:
    """Return a path of so many bytes below a folder."""
    path = str(folder)
    while length - len(path) > 110:
        path += "/" + "d" * 99
    return Path(path + "/" + "e" * (length - len(path) - 1))


def test_the_longest_path_works_and_a_longer_one_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    longest = deep(tmp_path, LONGEST)
    toy_search(longest, budget=3)
    assert (longest / "best.json").is_file()
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    longer = deep(tmp_path, LONGEST + 1)
    with pytest.raises(ConfigError) as caught:
        run_search(toy_config(longer, budget=3), Registry.discover())
    assert f"has {LONGEST + 1} bytes, and SQLite opens the store of a run only up to {LONGEST}" in str(
        caught.value
    )
    assert not list(tmp_path.iterdir())


def test_a_run_that_was_moved_too_deep_says_so(tmp_path: Path) -> None:
    toy_search(tmp_path / "run", budget=3)
    moved = deep(tmp_path, LONGEST + 40)
    moved.parent.mkdir(parents=True)
    (tmp_path / "run").rename(moved)
    with pytest.raises(ConfigError, match=r"SQLite opens the store of a run only up to .* a shorter path"):
        read_run(moved)


def test_a_folder_named_like_the_package_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "denas_core").mkdir()
    (tmp_path / "denas_core" / "__init__.py").write_text("raise RuntimeError('not this one')\n")
    script = shutil.which("denas", path=str(Path(sys.executable).parent))
    assert script is not None
    # The plugins of this repository, whose imports take seconds, are found in the same way as these two.
    others = {point.name for point in installed_points()[0]} - {"builtin", "toy"}
    env = environment(DENAS_DISABLE_PLUGINS=",".join(others))
    for arguments in (["doctor", "--json"], ["check", "toy/stairs"]):
        done = subprocess.run(
            [script, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
        assert "not this one" not in done.stdout
