"""Checks of a whole plugin, on distributions that are installed for one test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from denas_core.registry.registry import Registry
from denas_core.testing import CheckFailed, CheckSkipped
from denas_core.testing.checks.plugins import Installed
from denas_core.testing.classes import PLUGIN_CHECKS

GOOD = """
from denas_core import hookimpl

@hookimpl
def denas_strategies():
    return {"again": "denas_core.builtin.random_search:RandomSearch"}
"""
UNDECORATED = """
from denas_core import ProxyScore, hookimpl, option

class Height(ProxyScore):
    scale: float = option(1.0, "Factor")

    def measure(self, candidate):
        return 1.0

@hookimpl
def denas_scores():
    return {"height": Height}
"""
REQUIRES = "Requires-Dist: denas-core\n"
Install = Callable[..., None]

# Code of the plugin's module and its metadata, by the check that must fail.
BROKEN: dict[str, list[tuple[str, str]]] = {
    "it_loads": [("raise RuntimeError('no')", REQUIRES)],
    "it_provides_something": [("", REQUIRES)],
    "its_components_import": [
        (GOOD.replace("RandomSearch", "NoSuchClass"), REQUIRES),
        (UNDECORATED, REQUIRES),
    ],
    "its_names_are_lower_case": [(GOOD.replace("again", "Again_2"), REQUIRES)],
    "its_module_is_light": [(f"import numpy\n{GOOD}", REQUIRES), (f"print('hello')\n{GOOD}", REQUIRES)],
    "its_distribution_needs_the_core": [(GOOD, "")],
}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return a function that makes Python believe that a plugin is installed."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(code: str, metadata: str, name: str) -> None:
        (tmp_path / "denas_fresh.py").write_text(code)
        folder = tmp_path / "denas_fresh-0.1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: denas-fresh\nVersion: 0.1.0\n{metadata}"
        )
        (folder / "entry_points.txt").write_text(f"[denas]\n{name} = denas_fresh\n")

    yield write
    sys.modules.pop("denas_fresh", None)


def results(name: str = "fresh") -> dict[str, str]:
    """Return what each check says about the installed plugin; empty where it passes."""
    registry = Registry.discover()
    (plugin,) = (plugin for plugin in registry.plugins if plugin.name == name)
    found = {}
    for check in PLUGIN_CHECKS:
        try:
            check(Installed(plugin, registry))
            found[check.name] = ""
        except (CheckFailed, CheckSkipped) as error:
            found[check.name] = f"{type(error).__name__}: {error}"
    return found


def test_a_sound_plugin_passes_every_check(install: Install) -> None:
    install(GOOD, REQUIRES, "fresh")
    assert results() == {check.name: "" for check in PLUGIN_CHECKS}


def test_every_check_has_a_plugin_that_fails_it() -> None:
    assert set(BROKEN) == {check.name for check in PLUGIN_CHECKS}


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (
            GOOD.replace("denas_strategies", "denas_strategy"),
            "; the hooks are denas_spaces, denas_scores, denas_strategies, denas_probes, denas_executors, "
            "denas_tasks, denas_exporters, denas_add_commands, denas_doctor",
        ),
        ("import no_such_module", '; python -c "import denas_fresh" shows where, if its import fails'),
    ],
)
def test_the_author_of_a_plugin_that_does_not_load_learns_what_to_do(
    code: str, advice: str, install: Install
) -> None:
    install(code, REQUIRES, "fresh")
    assert results()["it_loads"].endswith(advice)


def test_a_component_that_cannot_be_made_is_named(install: Install) -> None:
    install(UNDECORATED, REQUIRES, "fresh")
    assert results()["its_components_import"] == (
        "CheckFailed: making fresh/height raises PluginError: the options of denas_fresh:Height cannot be read: "
        "TypeError: 'scale' is not an option yet: put @dataclasses.dataclass(kw_only=True) above the class; it must be "
        "made without any option"
    )


@pytest.mark.parametrize(
    ("check", "broken"), [(name, each) for name, all_ in BROKEN.items() for each in all_]
)
def test_a_broken_plugin_fails_the_check_that_is_for_it(
    check: str, broken: tuple[str, str], install: Install
) -> None:
    install(*broken, "fresh")
    found = results()
    assert found[check].startswith("CheckFailed"), found
    assert [other for other, text in found.items() if text.startswith("CheckFailed")] == [check]


@pytest.mark.parametrize("name", ["builtin", "cv", "scores", "toy"])
def test_our_own_plugins_pass_every_check(name: str) -> None:
    assert set(results(name).values()) == {""}
