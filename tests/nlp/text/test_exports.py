"""Every form of a network of a text task says name, shape and type of its inputs, beside what its tokenizer makes."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from denas_core import TrainedModel
from denas_core.models import export_model
from denas_core.registry.registry import Registry
from tests.predicting import saved_model

TOKENS = {"shape": ["batch", "tokens"], "dtype": "int64"}
INPUTS = [{"name": name, **TOKENS} for name in ("input_ids", "attention_mask", "token_type_ids")]
BERT: dict[str, Any] = {
    **{"layers": [1], "heads": [2], "intermediate": [8], "head_size": 8, "tied": True},
    **{"vocab_size": 400, "positions": 32, "seq_len": 12},
}
TASKS = {"text-classification": {"max_length": 16}, "squad": {"max_length": 24, "query_length": 8}}


@functools.cache
def registry() -> Registry:
    return Registry.discover()


@pytest.fixture(params=["text-classification", pytest.param("squad", marks=pytest.mark.nightly)])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> TrainedModel:
    space = registry().create("space", "nlp/bert", BERT)
    task = registry().create("task", f"nlp/{request.param}", TASKS[request.param])
    return saved_model(task, space, tmp_path)[1]


def in_torch_export(path: Path) -> Any:
    files = {"denas.json": ""}
    torch.export.load(path, extra_files=files)
    return json.loads(files["denas.json"])["preprocessing"]


def in_onnx(path: Path) -> Any:
    onnx = pytest.importorskip("onnx")
    properties = {each.key: each.value for each in onnx.load(path).metadata_props}
    return json.loads(properties["preprocessing"])


def in_openvino(path: Path) -> Any:
    openvino = pytest.importorskip("openvino")
    return json.loads(openvino.Core().read_model(path).get_rt_info(["denas", "preprocessing"]).astype(str))


def in_executorch(path: Path) -> Any:
    runtime = pytest.importorskip("executorch.runtime").Runtime.get()
    return json.loads(runtime.load_program(path).load_method("denas").execute([])[0])["preprocessing"]


FORMS: dict[str, Callable[[Path], Any] | None] = {
    "safetensors": None,
    "huggingface": None,
    "torch-export": in_torch_export,
    "onnx": in_onnx,
    "openvino": in_openvino,
    "executorch": in_executorch,
}
"""By form, how the description in the file itself is read; None where only ``card.json`` has one."""


@pytest.mark.parametrize("form", FORMS)
def test_the_inputs_of_the_network_are_described(form: str, model: TrainedModel, tmp_path: Path) -> None:
    pytest.importorskip(
        {"openvino": "openvino", "onnx": "onnx", "executorch": "executorch"}.get(form, "torch")
    )
    done = export_model(registry().create("exporter", form), model, tmp_path / "export")
    card = json.loads((done.directory / "card.json").read_text())["preprocessing"]
    assert card["inputs"] == INPUTS
    assert card["token_inputs"] == [described["name"] for described in INPUTS]
    assert (card["kind"], card["tokenizer"]) == ("text", "tokenizer.json")
    read = FORMS[form]
    assert read is None or read(done.path) == card
