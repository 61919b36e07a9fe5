"""An export is all that a pipeline of transformers needs, and its answers are those of `denas predict`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from denas_core import Answer, TrainedModel
from denas_core.models import build_network
from denas_core.testing.checks.processes import fault_of
from denas_nlp.text.example import WORDS

from .tiny_models import space_of
from .trained import exported, predictor_of, trained_model

COMPARED = """
import json, sys
from transformers import pipeline
classify = pipeline({tag!r}, model={path!r})
for given, probabilities, allowed in json.loads({expected!r}):
    found = {{one["label"]: one["score"] for one in classify(given, top_k=100)}}
    assert found.keys() == probabilities.keys(), (found, probabilities)
    apart = max(abs(found[label] - probabilities[label]) for label in found)
    assert apart <= allowed, (given, apart)
assert not [name for name in sys.modules if name.startswith(("denas", "torchvision"))]
"""


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def answer_of(found: Answer | None) -> Answer:
    assert found is not None
    return found


def picture(path: Path, height: int, width: int) -> Path:
    generator = torch.Generator().manual_seed(height)
    colours = torch.rand(1, 3, 5, 4, generator=generator) * 255
    pixels = nn.functional.interpolate(colours, size=(height, width), mode="bicubic").clamp(0, 255)
    Image.fromarray(pixels[0].byte().permute(1, 2, 0).numpy()).save(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("size", [16, pytest.param(96, marks=pytest.mark.nightly)])
def test_pictures_get_the_same_labels_in_a_pipeline(size: int, tmp_path: Path) -> None:
    model = trained_model(tmp_path / "data", "vit", "cv/image-classification", image_size=size)
    done = exported(model, tmp_path / "out", "huggingface")
    settings = json.loads((done.path / "preprocessor_config.json").read_text())
    assert settings["size"] == {"shortest_edge": {16: 16, 96: 110}[size]}
    assert settings["crop_size"] == {"height": size, "width": size}
    assert settings["image_mean"] == model.facts["mean"] and settings["resample"] == 2
    predictor = predictor_of(model, tmp_path / "model")
    sides = [(5 * size, 7 * size), (3 * size, 2 * size), (size, size)]
    files = [picture(tmp_path / f"{place}.png", *side) for place, side in enumerate(sides)]
    # Of a picture of the network's own size no pixel changes; for others, both resize with slightly other rounding.
    allowed = [0.05, 0.05, 1e-5 if size == 16 else 0.05]
    answers = [answer_of(one.answer) for one in predictor(files)]
    expected = [
        (str(file), dict(answer.probabilities), most)
        for file, answer, most in zip(files, answers, allowed, strict=True)
    ]
    assert max(max(one[1].values()) - min(one[1].values()) for one in expected) > 0.2
    code = COMPARED.format(tag="image-classification", path=str(done.path), expected=json.dumps(expected))
    assert fault_of(code, absent=["denas_core"]) == ""
    assert fault_of(code.replace("apart <= allowed", "apart < 0"), absent=["denas_core"]) != ""


@pytest.mark.slow
def test_sentences_get_the_same_labels_in_a_pipeline(tmp_path: Path) -> None:
    model = trained_model(tmp_path / "data", "bert", "nlp/sst2")
    done = exported(model, tmp_path / "out", "huggingface")
    longest = json.loads((done.path / "tokenizer_config.json").read_text())["model_max_length"]
    assert longest == model.facts["max_length"] == 40
    texts = [" ".join(WORDS[place : place + 5]) for place in range(3)]
    answers = [answer_of(one.answer) for one in predictor_of(model, tmp_path / "model")(texts)]
    expected = [(text, dict(answer.probabilities), 1e-5) for text, answer in zip(texts, answers, strict=True)]
    code = COMPARED.format(tag="text-classification", path=str(done.path), expected=json.dumps(expected))
    assert fault_of(code, absent=["denas_core"]) == ""


@pytest.mark.slow
def test_the_lines_of_the_card_answer_questions_as_predict_does(tmp_path: Path) -> None:
    model = trained_model(tmp_path / "data", "bert", "nlp/squad")
    done = exported(model, tmp_path / "out", "huggingface")
    given = [
        {"question": " ".join(WORDS[place : place + 2]), "context": " ".join(WORDS[3 : 9 + place])}
        for place in range(3)
    ]
    answers = [answer_of(one.answer).text for one in predictor_of(model, tmp_path / "model")(given)]
    card = (done.path / "README.md").read_text()
    lines = card.partition("## How to use it")[2].partition("```python\n")[2].partition("```")[0]
    lines = lines.replace("PATH", str(done.path)).replace("print(", "found.append(")
    asked = "".join(f"    {line}\n" for line in lines.splitlines())
    code = f"found = []\nfor given in {given!r}:\n    question, context = given.values()\n{asked}"
    assert fault_of(f"{code}assert found == {answers!r}, found\n", absent=["denas_core"]) == ""


@pytest.mark.slow
def test_sounds_get_labels_in_a_pipeline(tmp_path: Path) -> None:
    space = space_of("wav2vec2")
    arch = space.smallest()
    assert arch is not None
    head = nn.Linear(32, 3)
    network = space.load(space.build(arch, head=head), arch, seed=0).eval()
    model = TrainedModel(space=space, arch=arch, network=network, facts={"labels": ["yes", "no", "stop"]})
    done = exported(model, tmp_path / "out", "huggingface")
    sound = torch.randn(16_000, generator=torch.Generator().manual_seed(0)) * 3 + 1
    values = (sound - sound.mean()) / (sound.var(correction=0) + 1e-7).sqrt()
    with torch.no_grad():
        probabilities = network(values[None]).logits.softmax(-1)[0].tolist()
    torch.save(sound, tmp_path / "sound.pt")
    code = f"""
import torch
from transformers import pipeline
classify = pipeline("audio-classification", model={str(done.path)!r})
assert classify.feature_extractor.sampling_rate == 16_000
sound = torch.load({str(tmp_path / "sound.pt")!r}, weights_only=True).numpy()
found = {{one["label"]: one["score"] for one in classify(sound, top_k=3)}}
expected = dict(zip(["yes", "no", "stop"], {probabilities!r}))
assert max(abs(found[name] - expected[name]) for name in expected) < 1e-4, (found, expected)
"""
    assert fault_of(code, absent=["denas_core"]) == ""


def test_grey_networks_have_no_processor_because_pipelines_read_colours(tmp_path: Path) -> None:
    model = trained_model(tmp_path / "data", "vit", "cv/image-classification", num_channels=1)
    done = exported(model, tmp_path / "out", "huggingface")
    assert not (done.path / "preprocessor_config.json").exists()
    assert "## How to use it" not in (done.path / "README.md").read_text()
    assert json.loads((done.directory / "card.json").read_text())["preprocessing"]["channels"] == 1


def test_a_network_that_was_not_trained_has_no_processor(tmp_path: Path) -> None:
    space = space_of("vit")
    arch = space.smallest()
    assert arch is not None and build_network(space, arch) is not None
    network = space.load(build_network(space, arch), arch, seed=0).eval()
    done = exported(TrainedModel(space=space, arch=arch, network=network), tmp_path / "out", "huggingface")
    assert not (done.path / "preprocessor_config.json").exists()
