"""The code of ``predict.py`` runs exported files, and the probe measures them as they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from denas_core import SearchSpace
from denas_core.testing.samples.spaces import SampleMLP
from denas_onnx.exporter import ONNX
from denas_onnx.runtime import Runtime
from tests.core.exported import InStages, model_of

CLOSED = (
    "import sys; sys.modules |= dict.fromkeys(('torch', 'denas_core', 'denas_onnx')); import runpy, json; "
)
"""A process that cannot import them."""


@pytest.mark.parametrize("space", [SampleMLP().named("sample/mlp"), InStages()], ids=["one", "stages"])
def test_the_code_gives_the_outputs_of_the_network_without_torch_and_denas(
    space: SearchSpace, tmp_path: Path
) -> None:
    exporter, model = ONNX().named("onnx/onnx"), model_of(space)
    artefact = exporter.write(model, tmp_path)
    code = exporter.script(model, artefact.relative_to(tmp_path))
    (tmp_path / "run.py").write_text(f"from pathlib import Path\n\nHERE = Path(__file__).parent\n{code}")
    batch = space.batch(3, seed=4)
    numpy.savez(tmp_path / "in.npz", **{name: tensor.numpy() for name, tensor in batch.inputs.items()})
    script = CLOSED + (
        f"import numpy; here = {str(tmp_path)!r}; run = runpy.run_path(here + '/run.py')['run']; "
        "numpy.savez(here + '/out.npz', **run(dict(numpy.load(here + '/in.npz'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = dict(numpy.load(tmp_path / "out.npz"))
    expected = space.forward(model.network, batch).logits
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert numpy.allclose(found[name], tensor.detach().numpy(), atol=1e-4)


@pytest.mark.parametrize("space", [SampleMLP().named("sample/mlp"), InStages()], ids=["one", "stages"])
def test_the_probe_runs_the_exported_file(space: SearchSpace, tmp_path: Path) -> None:
    artefact = ONNX().named("onnx/onnx").write(model_of(space), tmp_path)
    probe = Runtime(batch_size=2, min_rounds=6, max_rounds=6, seconds=1).named("onnx/runtime")
    call = probe.prepare_export(artefact, space, seed=0, device="cpu")
    assert call is not None
    call()
    assert probe.time(call, None).median > 0
