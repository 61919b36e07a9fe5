"""The plugin: what it offers, and that offering it is light."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points

import pytest

from denas_core import SearchSpace
from denas_core.errors import ConfigError, NotInstalled
from denas_core.registry.registry import Registry
from denas_core.setup.tasks import choose_task

from .tiny_models import space_of


def test_the_entry_point_offers_the_space() -> None:
    [entry_point] = [e for e in entry_points(group="denas") if e.name == "hf"]
    spaces = entry_point.load().denas_spaces()
    module, _, name = spaces["auto"].partition(":")
    assert issubclass(getattr(import_module(module), name), SearchSpace)


def test_neither_plugin_nor_family_import_torch_or_transformers() -> None:
    code = "import sys, denas_hf.plugin, denas_hf.family; print({'torch', 'transformers'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.parametrize(("family", "distribution"), [("bert", "denas-nlp"), ("vit", "denas-cv")])
def test_where_the_plugin_of_its_tasks_is_missing_it_is_named(family: str, distribution: str) -> None:
    others = Registry(plugin for plugin in Registry.discover().plugins if plugin.distribution != distribution)
    space = space_of(family)
    for name, error in (
        ("sst2" if family == "bert" else "image-classification", NotInstalled),
        (None, ConfigError),
    ):
        with pytest.raises(error, match=rf"come with {distribution}: pip install {distribution}$"):
            choose_task(others, space, name, {})
