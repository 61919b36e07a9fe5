"""Which space makes a checkpoint smaller."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from denas_core.building.shrinking_space import shrinking_space
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, DenasError, NotInstalled, PluginError
from denas_core.registry.loading import Plugin
from denas_core.registry.registry import Registry


class Plain(SearchSpace):
    """A space that makes nothing smaller."""

    def knobs(self) -> Any:
        return ()

    def build(self, arch: Any, *, head: Any = None, variant: Any = "full") -> Any:
        raise NotImplementedError

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Any:
        raise NotImplementedError


class Smaller(Plain):
    """A space that makes checkpoints smaller."""

    @classmethod
    def shrinking(
        cls, checkpoint: str, *, data: Path | None, task: str | None
    ) -> Mapping[str, Mapping[str, Any]]:
        return {
            "space": {"checkpoint": checkpoint, "data": data, "task": task},
            "score": {"name": "own/close"},
        }


def plugin(name: str, **spaces: type[Any] | str) -> Plugin:
    return Plugin(
        name=name, distribution=f"denas-{name}", version="1.0", status="ok", components={"space": spaces}
    )


def refusal(kind: type[DenasError], *plugins: Plugin) -> str:
    with pytest.raises(kind) as caught:
        shrinking_space(Registry(plugins), "model", data=None, task=None)
    assert type(caught.value) is kind
    return str(caught.value)


def test_the_space_that_knows_how_is_found_among_others() -> None:
    registry = Registry(
        [plugin("own", small=Smaller), plugin("other", plain=Plain, damaged="no.module:Space")]
    )
    id, settings = shrinking_space(registry, "model", data=Path("rows"), task="own/rows")
    assert id == "own/small"
    assert settings["space"] == {"checkpoint": "model", "data": Path("rows"), "task": "own/rows"}
    assert settings["score"] == {"name": "own/close"}


def test_without_such_a_space_it_is_said_what_to_install() -> None:
    text = "no installed plugin makes checkpoints smaller; install one with: pip install denas-hf"
    assert refusal(NotInstalled) == text
    assert refusal(NotInstalled, plugin("other", plain=Plain)) == text


def test_a_plugin_that_does_not_load_is_named() -> None:
    broken = dataclasses.replace(plugin("hf"), status="broken", reason="ImportError: no torch")
    assert refusal(PluginError, broken) == (
        "no usable plugin makes checkpoints smaller: plugin 'hf' is broken: ImportError: no torch; "
        "'denas doctor' says how to fix it"
    )
    assert "space 'hf/auto' of denas-hf 1.0 cannot be imported" in refusal(
        PluginError, plugin("hf", auto="no.module:Auto")
    )


def test_two_such_spaces_are_refused() -> None:
    assert refusal(ConfigError, plugin("one", small=Smaller), plugin("two", small=Smaller)) == (
        "spaces one/small and two/small make checkpoints smaller; use 'denas search' with one of them"
    )
