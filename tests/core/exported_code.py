"""Exported files run by the code of ``predict.py``, and measured by a probe, whatever the runtime."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy

from denas_core import Exporter, SearchSpace, TimedProbe
from tests.core.exported import model_of


def check_code(exporter: Exporter, space: SearchSpace, folder: Path, *, without: Sequence[str]) -> None:
    """Check that the code gives the outputs of the network, in a process that cannot import some modules."""
    model = model_of(space)
    artefact = exporter.write(model, folder)
    code = exporter.script(model, artefact.relative_to(folder))
    (folder / "run.py").write_text(f"from pathlib import Path\n\nHERE = Path(__file__).parent\n{code}")
    batch = space.batch(3, seed=4)
    numpy.savez(folder / "in.npz", **{name: tensor.numpy() for name, tensor in batch.inputs.items()})
    script = (
        f"import sys; sys.modules |= dict.fromkeys({tuple(without)!r}); import runpy, json; "
        f"import numpy; here = {str(folder)!r}; run = runpy.run_path(here + '/run.py')['run']; "
        "numpy.savez(here + '/out.npz', **run(dict(numpy.load(here + '/in.npz'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = dict(numpy.load(folder / "out.npz"))
    expected = space.forward(model.network, batch).logits
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert numpy.allclose(found[name], tensor.detach().numpy(), atol=1e-4)


def check_probe(exporter: Exporter, probe: TimedProbe, space: SearchSpace, folder: Path) -> None:
    """Check that a probe runs the exported file and times it."""
    artefact = exporter.write(model_of(space), folder)
    call = probe.prepare_export(artefact, space, seed=0, device="cpu")
    assert call is not None
    call()
    assert probe.time(call, None).median > 0
