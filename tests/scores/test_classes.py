"""EPE-NAS against NumPy, class by class, and the log determinant of the tangent kernel against gradients."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from denas_core import Candidate, Outputs, PassSpec, ScoreFailed, Trace
from denas_core.values.passes import joined_passes
from denas_scores.complexity import RIDGE, Complexity, LogDeterminant
from denas_scores.jacobian import EpeNas, JacobianCovariance
from denas_scores.spectra import DepthWidth, Width

from .toy_spaces import CNNSpace


@pytest.mark.parametrize(("samples", "classes"), [(12, 3), (13, 4), (210, 101)])
def test_correlations_in_classes_are_those_of_numpy(samples: int, classes: int) -> None:
    gradients = torch.randn(samples, 2, 5, generator=torch.Generator().manual_seed(0))
    nothing = torch.zeros(1)
    trace = Trace(
        spec=PassSpec(size=samples),
        outputs=Outputs(features=nothing, logits={"logits": nothing}),
        parameters={},
        input_gradients={"x": gradients},
    )
    rows = gradients.flatten(1).double().numpy()
    sums = []
    for label in range(classes):
        members = rows[[i for i in range(samples) if i % classes == label]]
        if len(members) > 1:
            value = np.log(np.abs(np.corrcoef(members)) + 1e-5).sum()
            sums.append(value / len(members) if classes > 100 else value)
    if classes > 100:
        expected = sum(abs(a - b) for a in sums for b in sums) / len(sums)
    else:
        expected = sum(abs(value) for value in sums)
    assert EpeNas(classes=classes).value(trace) == pytest.approx(expected, rel=1e-6)


def test_classes_of_single_samples_fail_and_the_run_is_that_of_the_jacobian() -> None:
    space = CNNSpace()
    with pytest.raises(ScoreFailed, match="no two"):
        EpeNas(batch_size=4, classes=4).measure(Candidate(space, space.full()))
    assert len(joined_passes([*EpeNas().passes(), *JacobianCovariance().passes()])) == 1


def test_the_log_determinant_is_that_of_gradients_sample_by_sample() -> None:
    space = CNNSpace()
    seen = Candidate(space, space.full())
    score = LogDeterminant(batch_size=6)
    trace = seen.trace(dataclasses.replace(score.passes()[0], gradients="samples"))
    names = {view.parameter for view in seen.views() if view.is_feed_forward or view.is_attention}
    rows = torch.cat([trace.gradients[name].flatten(1) for name in sorted(names)], 1).double().numpy()
    kernel = rows @ rows.T
    ridge = RIDGE * np.trace(kernel) / 6
    expected = float(np.log(np.linalg.eigvalsh(kernel) + ridge).sum())
    assert score.measure(seen) == pytest.approx(expected, rel=1e-4)
    assert score.direction == "maximize" and Complexity.direction == "minimize"


def test_the_width_is_the_mean_of_the_blocks() -> None:
    """Two blocks of 2 * 8 channels."""
    seen = Candidate(CNNSpace(), CNNSpace().full())
    assert Width(batch_size=4).measure(seen) == 16
    assert DepthWidth(batch_size=4).measure(seen) == 32
