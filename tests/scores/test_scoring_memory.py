"""The estimate of the memory that scoring takes, against what a process takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

PEAK = """
import random
import torch
from denas_core import Candidate
from denas_core.cost import scoring_memory_bytes
from denas_core.scoring import Scoring
from denas_cv.cnn.space import CNN
from denas_scores.de_score import DEScore

torch.set_num_threads(1)
space = CNN(**{options}).named("cv/cnn")

def score(arch, size):
    components = Scoring(DEScore(batch_size=size), space, lambda name: None).components
    passes = [spec for component in components.values() for spec in component.passes()]
    candidate = Candidate(space, arch, passes=passes)
    for component in components.values():
        component.measure(candidate)

def peak():
    # Not ru_maxrss, which a child takes over from the process that started it.
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024

score(space.smallest(), 2)
before = peak()
arch = space.sample(random.Random({seed}))
score(arch, 64)
print(scoring_memory_bytes(space, arch, 64) / (peak() - before))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("options", "seed"), [({}, 0), ({"skeleton": "imagenet", "image_size": 16}, 3)], ids=["maps", "weights"]
)
def test_scoring_takes_no_more_memory_than_estimated(options: dict[str, object], seed: int) -> None:
    """Where activations are most of it, and where weights are."""
    code = PEAK.format(options=options, seed=seed)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 1 < float(run.stdout) < 12
