"""The plugin: what it offers, and that offering it is light."""

from __future__ import annotations

import subprocess
import sys

import pytest

from denas_core.registry.registry import Registry
from denas_ray.executor import Ray


def test_the_executor_has_a_short_name() -> None:
    registry = Registry.discover()
    assert registry.resolve("executor", "ray") == "ray/ray"
    assert registry.load("executor", "ray") is Ray


@pytest.mark.parametrize("command", [["--help"], ["plugins"], ["show", "ray"], ["search", "--help"]])
def test_commands_that_only_list_do_not_import_ray(command: list[str]) -> None:
    code = f"""
import sys
from denas_core.cli import main
try:
    main({command!r})
except SystemExit:
    pass
print({{'ray', 'torch'}} & set(sys.modules), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "set()\n", done.stderr
