from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from denas_core.errors import PluginError
from denas_core.registry.registry import Registry
from tests.core.plugin_modules import GOOD, Install, only


def test_a_plugin_is_a_row_with_its_components(install: Install) -> None:
    plugin = only(install("good", GOOD))
    assert plugin.as_dict() == {
        "name": "good",
        "distribution": "unknown",
        "version": "unknown",
        "status": "ok",
        "reason": "",
        "components": {"score": ["width", "zen"]},
    }


def test_the_core_is_its_own_plugin() -> None:
    registry = Registry.discover()
    (builtin,) = [plugin for plugin in registry.plugins if plugin.name == "builtin"]
    assert (builtin.distribution, builtin.status) == ("denas-core", "ok")
    assert {"builtin/random", "builtin/evolution"} <= set(registry.ids("strategy"))
    assert "builtin/wall-clock" in registry.ids("probe")
    assert "builtin/serial" in registry.ids("executor")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("def broken(:", "SyntaxError: invalid syntax (broken.py, line 1)"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise RuntimeError('one\\n  two')", "RuntimeError: one two"),
    ],
)
def test_a_plugin_that_does_not_import_is_broken(install: Install, code: str, reason: str) -> None:
    plugin = only(install("broken", code))
    assert (plugin.status, plugin.reason) == ("broken", reason)
    assert plugin.as_dict()["components"] == {}


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        ("def denas_scroes(): return {}", "unknown hook 'denas_scroes'"),
        ("def denas_scores(registry): return {}", "registry"),
        (
            "def denas_scores(): return ['zen']",
            "TypeError: denas_scores() must return a mapping of names, not list",
        ),
        ("def denas_scores(): return 0", "TypeError: denas_scores() must return a mapping of names, not int"),
        ("def denas_scores(): 1 / 0", "ZeroDivisionError: division by zero"),
        ("def denas_scores(): raise SystemExit", "SystemExit:"),
        (
            "def denas_scores(): return {'a/b': 'm:C'}",
            "ValueError: denas_scores() names a component 'a/b'; use letters, digits, '-' and '_'",
        ),
        (
            "def denas_scores(): return {3: 'm:C'}",
            "ValueError: denas_scores() names a component 3; use letters, digits, '-' and '_'",
        ),
        (
            "def denas_scores(): return {'': 'm:C'}",
            "ValueError: denas_scores() names a component ''; use letters, digits, '-' and '_'",
        ),
        (
            "def denas_spaces(): return {'a': 5}",
            "TypeError: denas_spaces() maps 'a' to 5, which is neither a class nor 'package.module:Class'",
        ),
    ],
)
def test_a_hook_that_breaks_its_contract_makes_the_plugin_broken(
    install: Install, hook: str, reason: str
) -> None:
    plugin = only(install("broken", f"from denas_core.hookspecs import hookimpl\n@hookimpl\n{hook}\n"))
    assert plugin.status == "broken"
    assert reason in plugin.reason
    assert "\n" not in plugin.reason


@pytest.mark.parametrize("hook", ["def denas_scores(): return None", "def denas_scores(): return {}"])
def test_a_hook_may_provide_nothing(install: Install, hook: str) -> None:
    plugin = only(install("empty", f"from denas_core.hookspecs import hookimpl\n@hookimpl\n{hook}\n"))
    assert (plugin.status, plugin.as_dict()["components"]) == ("ok", {})


@pytest.mark.parametrize("name", ["a/b", "a:b", "a b", "1a"])
def test_a_plugin_whose_name_cannot_be_part_of_an_id_is_broken(install: Install, name: str) -> None:
    install("good", GOOD)
    plugin = only(importlib.metadata.EntryPoint(name=name, value="good", group="denas"))
    assert plugin.status == "broken"
    assert plugin.reason == f"the name {name!r} cannot be part of an id; use letters, digits, '-' and '_'"


def test_a_broken_plugin_takes_no_other_with_it(install: Install) -> None:
    registry = Registry.discover([install("broken", "1 / 0"), install("good", GOOD)])
    assert [(plugin.name, plugin.status) for plugin in registry.plugins] == [
        ("broken", "broken"),
        ("good", "ok"),
    ]
    assert registry.ids("score") == ["good/width", "good/zen"]


def test_a_name_claimed_twice_is_a_conflict_that_lists_both(tmp_path: Path, install: Install) -> None:
    install("good", GOOD)
    for distribution, version in (("denas-good", "1.0"), ("other-good", "2.0")):
        folder = tmp_path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (folder / "entry_points.txt").write_text("[denas]\ngood = good\n")
    found = importlib.metadata.distributions(path=[str(tmp_path)])
    registry = Registry.discover(point for dist in found for point in dist.entry_points)
    reason = "2 distributions claim the name 'good'"
    assert [(p.distribution, p.version, p.status, p.reason) for p in registry.plugins] == [
        ("denas-good", "1.0", "conflict", reason),
        ("other-good", "2.0", "conflict", reason),
    ]
    with pytest.raises(
        PluginError, match=r"plugin 'good' \(denas-good 1.0\) is conflict: 2 distributions claim"
    ):
        registry.resolve("score", "good/zen")


def test_plugins_named_in_the_environment_are_not_loaded(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DENAS_DISABLE_PLUGINS", "other, broken")
    registry = Registry.discover([install("broken", "raise SystemExit"), install("good", GOOD)])
    assert [(plugin.name, plugin.status, plugin.reason) for plugin in registry.plugins] == [
        ("broken", "disabled", "named in DENAS_DISABLE_PLUGINS"),
        ("good", "ok", ""),
    ]


def test_what_a_plugin_prints_does_not_reach_standard_output(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    code = """
        from denas_core.hookspecs import hookimpl
        print("at import")

        @hookimpl
        def denas_scores():
            print("in the hook")
            return {"loud": "loud_scores:Loud"}
    """
    point = install("loud", code)
    install("loud_scores", "print('at lookup')\nLoud = int\n")
    registry = Registry.discover([point])
    with pytest.raises(PluginError):
        registry.load("score", "loud/loud")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.split("\n") == ["at import", "in the hook", "at lookup", ""]
