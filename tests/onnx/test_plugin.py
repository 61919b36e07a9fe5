"""The plugin: what it offers, and that offering it is light."""

from __future__ import annotations

import subprocess
import sys

import onnxruntime

from denas_core.cli.commands.doctor import examine
from denas_core.registry.registry import Registry
from denas_onnx.exporter import ONNX
from denas_onnx.runtime import Runtime


def test_the_entry_point_offers_both() -> None:
    registry = Registry.discover()
    assert registry.load("exporter", "onnx") is ONNX
    assert registry.load("probe", "onnx/runtime") is Runtime


def test_the_doctor_lists_the_version_of_onnxruntime() -> None:
    assert examine()["versions"]["onnxruntime"] == onnxruntime.__version__


def test_neither_plugin_nor_components_import_torch_or_onnxruntime() -> None:
    code = (
        "import sys, denas_onnx.plugin, denas_onnx.exporter, denas_onnx.runtime; "
        "print({'torch', 'onnx', 'onnxruntime'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
