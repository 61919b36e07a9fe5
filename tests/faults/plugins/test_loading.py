"""Every plugin that cannot be loaded or used is a row with its reason, and ``denas doctor`` says how to fix it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from denas_core.cli.commands.doctor import fix
from denas_core.cli.doctor_imports import examine_plugins
from denas_core.errors import DenasError
from denas_core.registry.loading import Plugin, installed_points
from denas_core.registry.registry import Registry
from tests.core.toy_searches import denas_command, environment

from .conftest import Zoo
from .declaring import CREATED, DECLARED, declaring
from .good import GOOD
from .loading import BROKEN, ODD_METADATA, UNREADABLE, Broken
from .making import installed
from .trying import changed, process, stirred

OURS = {point.name for point in installed_points()[0]} - {"builtin"}
"""The plugins of this repository, whose imports take seconds."""

Rows = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def registry(zoo: Zoo) -> Registry:
    import torch  # noqa: F401  (first, since no plugin is to blame for what importing it changes)

    before = stirred()
    declared = map(declaring, {**DECLARED, **CREATED})
    found = zoo([GOOD, *ODD_METADATA, *(broken.distribution for broken in BROKEN), *declared])
    assert changed(before, process()) == []
    return found


@pytest.fixture(scope="module")
def rows(registry: Registry) -> Rows:
    """What ``denas doctor`` knows, with how to fix it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DENAS_DISABLE_PLUGINS", ",".join(OURS))
        found = examine_plugins(patience=60)
    return {(row["name"], row["distribution"]): {**row, "fix": fix(row)} for row in found}


def key_of(broken: Broken) -> tuple[str, str]:
    return broken.row or broken.distribution.name, f"denas-zoo-{broken.distribution.name}"


def name_of(broken: Broken) -> str:
    return broken.distribution.name


def as_dict(registry: Registry) -> dict[tuple[str, str], Plugin]:
    return {(plugin.name, plugin.distribution): plugin for plugin in registry.plugins}


@pytest.mark.parametrize("broken", BROKEN, ids=name_of)
def test_a_plugin_that_cannot_be_loaded_is_a_row_with_the_reason(broken: Broken, registry: Registry) -> None:
    plugin = as_dict(registry)[key_of(broken)]
    assert plugin.status == broken.status
    assert re.search(broken.reason, plugin.reason), plugin.reason
    assert plugin.reason.isprintable() and len(plugin.reason) <= 400
    json.dumps(plugin.as_dict())


@pytest.mark.parametrize("broken", BROKEN, ids=name_of)
def test_doctor_says_how_to_fix_a_plugin_that_cannot_be_loaded(broken: Broken, rows: Rows) -> None:
    row = rows[key_of(broken)]
    assert broken.fix in row["fix"]
    assert row["fix"].isprintable() and len(row["fix"]) <= 600


@pytest.mark.parametrize("name", [distribution.name for distribution in ODD_METADATA])
def test_a_plugin_works_however_odd_its_metadata(name: str, registry: Registry, rows: Rows) -> None:
    (plugin,) = [plugin for plugin in registry.plugins if plugin.name == name]
    assert plugin.status == "ok"
    assert all(text.isprintable() and 0 < len(text) <= 80 for text in (plugin.distribution, plugin.version))
    assert rows[plugin.name, plugin.distribution]["fix"] == ""


def test_the_good_ones_are_untouched(registry: Registry, rows: Rows) -> None:
    for name, distribution in (("good", "denas-zoo-good"), ("builtin", "denas-core")):
        assert as_dict(registry)[name, distribution].status == "ok"
        assert rows[name, distribution]["faults"] == {}
    assert registry.create("score", "good/first").id == "good/first"


@pytest.mark.parametrize("name", DECLARED)
def test_a_component_that_is_none_is_told_in_one_line(name: str, registry: Registry) -> None:
    before = stirred()
    with pytest.raises(DenasError) as told:
        registry.create("score", f"{name}/it")
    assert re.search(DECLARED[name][1], str(told.value)), told.value
    assert str(told.value).isprintable() and len(str(told.value)) <= 600
    assert changed(before, process()) == []


@pytest.mark.parametrize("name", DECLARED)
def test_doctor_imports_what_is_declared_and_says_how_to_fix_it(name: str, rows: Rows) -> None:
    row = rows[name, f"denas-zoo-{name}"]
    assert (row["status"], list(row["faults"])) == ("ok", [f"score {name}/it"])
    assert re.search(DECLARED[name][1], row["faults"][f"score {name}/it"])
    assert f"denas-zoo-{name}" in row["fix"]


@pytest.mark.parametrize("name", CREATED)
def test_a_component_that_cannot_be_made_is_told_in_one_line(name: str, registry: Registry) -> None:
    preset = ":large" if "presets" in name else ""
    with pytest.raises(DenasError) as told:
        registry.create("score", f"{name}/it{preset}", {"size": 1} if name == "validating" else {})
    assert re.search(CREATED[name][1], str(told.value)), told.value
    assert str(told.value).isprintable()


@pytest.mark.parametrize("broken", UNREADABLE, ids=name_of)
def test_entry_points_that_cannot_be_read_are_a_row_and_hide_no_other(broken: Broken, tmp_path: Path) -> None:
    with installed(tmp_path, [broken.distribution, GOOD, *ODD_METADATA]):
        plugins = as_dict(Registry.discover())
    plugin = plugins[key_of(broken)]
    assert plugin.status == "broken"
    assert re.search(broken.reason, plugin.reason)
    assert broken.fix in fix({**plugin.as_dict(), "faults": {}})
    assert {name for name, _ in plugins} >= {"good", "builtin", *(odd.name for odd in ODD_METADATA)}


def test_doctor_stands_where_torch_itself_cannot_read_the_entry_points(tmp_path: Path) -> None:
    UNREADABLE[0].distribution.write(tmp_path)
    # In a process that imports torch itself.
    environ = environment(PYTHONPATH=str(tmp_path), DENAS_DISABLE_PLUGINS=",".join(OURS))
    done = subprocess.run(denas_command("doctor", "--json"), capture_output=True, text=True, env=environ)
    assert done.returncode == 0, done.stderr
    advice = json.loads(done.stdout)["advice"]
    assert any(UNREADABLE[0].fix in line for line in advice)
    assert any(line.startswith("torch cannot be imported: UnicodeDecodeError") for line in advice)
