"""``denas new-plugin`` writes whole plugins, and refuses names and kinds that cannot be."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_core.scaffold import KINDS, plugin_name, render_plugin, write_plugin
from tests.core.toy_searches import denas_here


@pytest.mark.parametrize("text", ["zen", "denas-zen"])
def test_a_plugin_may_be_named_by_its_distribution(text: str) -> None:
    assert plugin_name(text) == "zen"


@pytest.mark.parametrize(
    "text", ["", "denas-", "Zen", "2zen", "a--b", "a-", "a_b", "a/b", "../a", "a b", "é", "a" * 41, "a\n"]
)
def test_a_name_that_is_no_package_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="must be lower-case letters"):
        plugin_name(text)


@pytest.mark.parametrize("text", ["core", "denas-core", "builtin", "cv"])
def test_a_name_of_denas_itself_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="belongs to DE-NAS itself"):
        plugin_name(text)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_gives_python_that_compiles_and_metadata_that_names_it(kind: str) -> None:
    files = render_plugin("my-thing", [kind])
    project = tomllib.loads(files["pyproject.toml"])["project"]
    assert project["name"] == "denas-my-thing"
    assert project["entry-points"]["denas"] == {"my-thing": "denas_my_thing.plugin"}
    for path, text in files.items():
        assert text == "" or text.endswith("\n")
        assert "{{" not in text and "{%" not in text
        if path.endswith(".py"):
            ast.parse(text)
    assert f"denas_my_thing/{kind}.py" in files
    assert f"MyThing{kind.capitalize()}" in files[f"denas_my_thing/{kind}.py"]
    assert f'"my-thing-{kind}"' in files["denas_my_thing/plugin.py"]


def test_a_name_that_ends_with_the_kind_does_not_repeat_it() -> None:
    files = render_plugin("zen-score", ["score"])
    assert "class ZenScore(ProxyScore)" in files["denas_zen_score/score.py"]
    assert '{"zen-score": ' in files["denas_zen_score/plugin.py"]


def test_unknown_kinds_and_none_at_all_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"'scor' is none of score, space.*did you mean 'score'"):
        render_plugin("zen", ["scor"])
    with pytest.raises(ConfigError, match="no kind is named"):
        render_plugin("zen", [])


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"):
        write_plugin({"a.py": ""}, tmp_path)
    with pytest.raises(ConfigError, match="exists and is not a directory"):
        write_plugin({"a.py": ""}, tmp_path / "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_the_command_says_what_it_wrote_and_what_comes_next(tmp_path: Path) -> None:
    done = denas_here("new-plugin", "zen", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "denas_zen/score.py" in done.stdout
    assert done.stdout.splitlines()[-2:] == ["next:", "  pip install -e denas-zen && denas check zen"]
    again = denas_here("new-plugin", "zen", cwd=tmp_path)
    assert again.returncode == 2
    assert again.stderr == "error: 'denas-zen' exists and is not empty; name another directory with --out\n"


def test_the_name_of_an_installed_plugin_is_refused(tmp_path: Path) -> None:
    done = denas_here("new-plugin", "toy", cwd=tmp_path)
    assert done.returncode == 2
    assert "plugin name 'toy' is taken by denas-toy 0.1.0" in done.stderr
    assert not list(tmp_path.iterdir())
