"""The estimate of the memory that scoring takes, against what a process takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

PEAK = """
import random
import torch
from denas_core import Candidate
from denas_core.evaluation.memory import scoring_memory_bytes
from denas_core.evaluation.scoring import Scoring
from {module} import {name}
from denas_scores.de_score import DEScore

torch.set_num_threads(1)
space = {name}(**{options}).named("toy/memory")

def components_of(size):
    return Scoring(DEScore(batch_size=size, synaptic_batch_size={synaptic}), space, lambda name: None).components

def passes_of(size):
    return [spec for component in components_of(size).values() for spec in component.passes()]

def score(arch, size):
    candidate = Candidate(space, arch, passes=passes_of(size))
    for component in components_of(size).values():
        component.measure(candidate)

def peak():
    # Not ru_maxrss, which a child takes over from the process that started it.
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024

score(space.smallest(), 2)
before = peak()
arch = space.sample(random.Random({seed}))
score(arch, 64)
print(scoring_memory_bytes(space, arch, passes_of(64)) / (peak() - before))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("space", "options", "seed", "synaptic"),
    [
        ("denas_cv.cnn.space.CNN", {}, 0, 1),
        ("denas_cv.cnn.space.CNN", {"skeleton": "imagenet", "image_size": 16}, 3, 1),
        ("denas_nlp.bert.space.Bert", {"vocab_size": 1000, "heads": [2, 8], "layers": [1, 2]}, 0, 16),
    ],
    ids=["maps", "weights", "tokens"],
)
def test_scoring_takes_no_more_memory_than_estimated(
    space: str, options: dict[str, object], seed: int, synaptic: int
) -> None:
    """Where activations are most of it, where weights are, and where a batch runs in parts."""
    module, _, name = space.rpartition(".")
    pytest.importorskip(module)
    code = PEAK.format(module=module, name=name, options=options, seed=seed, synaptic=synaptic)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 1 < float(run.stdout) < 12
