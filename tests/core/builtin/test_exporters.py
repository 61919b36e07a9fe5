"""The forms that the core writes: safetensors with a model card, and torch.export programs."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from denas_core import SearchSpace, load_model
from denas_core.builtin.exporters.model_card import cell
from denas_core.builtin.exporters.safetensors_files import Safetensors
from denas_core.builtin.exporters.torch_export import TorchExport
from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError
from denas_core.models.export import export_model
from denas_core.registry.registry import Registry
from denas_core.testing import ExporterTests
from denas_core.testing.checks.processes import fault_of
from denas_core.testing.samples.spaces import SampleTransformer, sample_spaces
from denas_core.values.batch import Batch
from tests import warm
from tests.core.exported import FACTS, Answers, model_of, sample_model


def cnn() -> SearchSpace:
    space: SearchSpace = Registry.discover().create("space", "cv/cnn", {"image_size": 16, "max_layers": 1})
    return space


class TestTorchExport(ExporterTests):
    def make(self) -> TorchExport:
        return TorchExport().named("builtin/torch-export")

    def spaces(self) -> list[SearchSpace]:
        return [cnn()]


@pytest.mark.nightly
class TestTorchExportOfEachKind(TestTorchExport):
    def spaces(self) -> list[SearchSpace]:
        return list(sample_spaces())


class TestSafetensors(ExporterTests):
    def make(self) -> Safetensors:
        return Safetensors().named("builtin/safetensors")

    def spaces(self) -> list[SearchSpace]:
        return [cnn()]


def saved_batches(model: TrainedModel, path: Path) -> None:
    """Save inputs of several batches with the logits that the network gives."""
    batches = []
    for size in (1, 2, 5):
        inputs = model.space.batch(size, seed=3).inputs
        with torch.no_grad():
            logits = model.space.forward(model.network, Batch(inputs=inputs)).logits
        batches.append((list(inputs.values()), list(logits.values())))
    torch.save(batches, path)


COMPARED = """
import sys, torch
for inputs, expected in torch.load({path!r}, weights_only=True):
    found = network(*inputs)
    found = [found] if isinstance(found, torch.Tensor) else found
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        assert one.shape == other.shape
        assert (one - other).abs().max() <= 1e-5 * other.abs().max(), "it differs"
assert not [name for name in sys.modules if name.startswith("denas")]
"""


@pytest.mark.slow
def test_programs_run_in_plain_pytorch(tmp_path: Path) -> None:
    spaces = [*sample_spaces()[1:], Answers().named("sample/answers")]
    code = ""
    for number, space in enumerate(spaces):
        model, batches = model_of(space), tmp_path / f"{number}.pt"
        saved_batches(model, batches)
        done = export_model(TorchExport().named("builtin/torch-export"), model, tmp_path / str(number))
        code += f"{done.usage}\n{COMPARED.format(path=str(batches))}"
    assert fault_of(code, absent=["denas_core", "tests"]) == ""
    wrong = code + COMPARED.replace("network(*inputs)", "[t * 1.001 for t in network(*inputs)]").format(
        path=str(batches)
    )
    assert fault_of(wrong, absent=["denas_core", "tests"]) == "AssertionError: it differs"


def test_a_program_carries_its_names_and_facts(tmp_path: Path) -> None:
    path = TorchExport().write(sample_model(), tmp_path)
    files = {"denas.json": ""}
    torch.export.load(path, extra_files=files)
    found = json.loads(files["denas.json"])
    described = found.pop("preprocessing")
    assert found == {"inputs": ["x"], "outputs": ["logits"], "facts": FACTS}
    assert (described["inputs"][0]["name"], described["labels"]) == ("x", FACTS["labels"])


FULL = """
import resource, signal, sys
from pathlib import Path
from denas_core.builtin.exporters.torch_export import TorchExport
from denas_core.errors import StorageError
from denas_core.models.export import export_model
from tests.core.exported import sample_model

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
try:
    export_model(TorchExport().named("builtin/torch-export"), sample_model(), Path(sys.argv[1]))
except StorageError as error:
    print(error)
"""


def test_where_no_file_can_grow_a_program_is_an_error_and_no_crash(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = warm.run([sys.executable, "-c", FULL, str(tmp_path / "out")], env=environ)
    assert done.returncode == 0, done.stderr
    assert "File too large; free space, or choose another place" in done.stdout
    assert not list(tmp_path.iterdir())


def test_safetensors_hold_the_weights_and_load_again(tmp_path: Path) -> None:
    model = dataclasses.replace(
        model_of(cnn()), metrics={"accuracy": 0.75}, history={"settings": {"lr": 0.1}}
    )
    done = export_model(Safetensors().named("builtin/safetensors"), model, tmp_path / "out")
    assert done.path == done.directory
    assert done.difference == 0.0
    weights = load_file(done.path / "model.safetensors")
    assert weights.keys() == model.network.state_dict().keys()
    again = load_model(done.path)
    assert again.card() == model.card()
    assert done.usage == f"import denas_cv\nnetwork = denas_cv.load({str(done.path)!r})"
    namespace: dict[str, Any] = {}
    exec(done.usage, namespace)
    x = model.space.batch(2, seed=5).inputs["x"]
    with torch.no_grad():
        assert torch.equal(namespace["network"](x), model.network(x))


def test_without_a_plugin_for_its_space_a_network_has_no_safetensors(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="no installed plugin provides 'sample/mlp', so these weights could not"
    ):
        export_model(Safetensors().named("builtin/safetensors"), sample_model(), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_model_card_says_what_who_and_how(tmp_path: Path) -> None:
    model = dataclasses.replace(
        model_of(cnn(), facts={"labels": ["a|b", "<script>", "`x`"], "std": [0.5]}),
        metrics={"accuracy": 0.75},
        history={"settings": {"lr": 0.1, "epochs": 3}},
    )
    export_model(Safetensors().named("builtin/safetensors"), model, tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()
    assert text.startswith(f"# cv/cnn {model.arch.key[:12]}\n")
    assert model.space.format(model.arch) in text
    assert "pip install denas-cv==" in text
    assert "import denas_cv\nnetwork = denas_cv.load('PATH')" in text
    assert "`x` (batch, 3, 16, 16, float32)" in text
    rows = dict(re.findall(r"^\| (\S.*?) \| (.*) \|$", text, re.MULTILINE))
    assert rows["accuracy"] == "0.75"
    assert (rows["settings.lr"], rows["settings.epochs"]) == ("0.1", "3")
    assert rows["std"] == r"\[0.5\]"
    assert rows["labels"] == r'\["a\|b", "\<script\>", "\`x\`"\]'
    assert rows["torch"].startswith(torch.__version__.partition("+")[0])
    assert "not trained yet" in text


def test_cells_of_a_card_are_one_line_without_markup() -> None:
    assert cell("a\n| b\x1b[31m") == r"a \| b"
    assert len(cell("x" * 5000)) == 300


def test_an_architecture_with_one_token_input_is_exported_for_tokens(tmp_path: Path) -> None:
    done = export_model(
        TorchExport().named("t"), model_of(SampleTransformer().named("sample/t")), tmp_path / "o"
    )
    assert json.loads((done.directory / "card.json").read_text())["inputs"] == [
        {"name": "tokens", "shape": ["batch", 7], "dtype": "int64"}
    ]
