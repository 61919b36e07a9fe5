"""Trained recognisers in other forms, run as their users would."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import denas_asr
from denas_core.models.trained import load_model
from denas_core.values.batch import Batch
from tests.core.toy_searches import denas_here


@pytest.fixture(scope="module")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the export of a form, which is written once."""

    @functools.cache
    def export(form: str) -> Path:
        if form == "onnx":
            pytest.importorskip("denas_onnx")
        out = tmp_path_factory.mktemp("exports") / form
        done = denas_here("export", str(trained), "--to", form, "--out", str(out), "--json")
        assert done.returncode == 0, done.stderr
        return out

    return export


@pytest.mark.parametrize("form", ["safetensors", "torch-export", "onnx"])
def test_exports_give_the_outputs_of_encoder_and_decoder(
    trained: Path, exported: Callable[[str], Path], form: str
) -> None:
    export = exported(form)
    card = json.loads((export / "card.json").read_text())
    assert [each["name"] for each in card["inputs"]] == ["features", "tokens"]
    assert [each["shape"] for each in card["inputs"]] == [["batch", "frames", 20], ["batch", "symbols"]]
    assert card["outputs"] == ["ctc", "attention"]
    assert card["facts"]["vocabulary"]["kind"] == "characters"
    # An utterance of any length, and as many symbols as are written so far.
    features, tokens = torch.randn(1, 123, 20), torch.tensor([[1, 4, 5, 6, 7]])
    model = load_model(trained / "model")
    with torch.no_grad():
        expected = model.space.forward(
            model.network, Batch(inputs={"features": features, "tokens": tokens})
        ).logits
        found = run_export(form, export, features, tokens)
    for name, tensor in found.items():
        assert torch.allclose(tensor, expected[name], atol=1e-4), name


def test_onnx_runtime_alone_writes_what_the_decoder_would(
    trained: Path, exported: Callable[[str], Path]
) -> None:
    """It hears once and writes a symbol at a time, the likeliest each time."""
    encoder, decoder = sessions(exported("onnx"))
    features = torch.randn(1, 87, 20)
    (encoded,) = encoder.run(["encoded"], {"features": features.numpy()})
    tokens = [1]
    for _ in range(6):
        (logits,) = decoder.run(["attention"], {"tokens": [tokens], "encoded": encoded})
        tokens.append(int(logits[0, -1].argmax()))
    network: Any = load_model(trained / "model").network
    with torch.no_grad():
        heard, _ = network.encode(features)
        stepper = network.stepper(heard, torch.tensor([heard.shape[1]]))
        expected = [1]
        for _ in range(6):
            logits = stepper.step(torch.tensor([[expected[-1]]]), torch.tensor([[0]]))
            expected.append(int(logits.argmax()))
    assert tokens == expected


def run_export(
    form: str, export: Path, features: torch.Tensor, tokens: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Return what a user of an export gets out of it."""
    if form == "safetensors":
        network = denas_asr.load(export)
        encoded, _ = network.encode(features)
        return {"ctc": network.ctc(encoded), "attention": network.decode(tokens, encoded)}
    if form == "torch-export":
        outputs = torch.export.load(export / "model.pt2").module()(features, tokens)
        return dict(zip(("ctc", "attention"), outputs, strict=True))
    encoder, decoder = sessions(export)
    encoded, ctc = encoder.run(["encoded", "ctc"], {"features": features.numpy()})
    (attention,) = decoder.run(["attention"], {"tokens": tokens.numpy(), "encoded": encoded})
    return {"ctc": torch.from_numpy(ctc), "attention": torch.from_numpy(attention)}


def sessions(export: Path) -> list[Any]:
    """Return encoder and decoder in ONNX Runtime."""
    import onnxruntime

    return [onnxruntime.InferenceSession(export / f"{name}.onnx") for name in ("encoder", "decoder")]
