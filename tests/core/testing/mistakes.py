"""Mistakes of beginners, with the check that must notice each and what it says to do."""

from __future__ import annotations

from .broken_checkpoints import Deaf, Narrowing
from .broken_networks import BareTensor, RunningSum, RunningSumFromTheEnd, Unconditional
from .broken_scores import Crashing, Misspelt, NoReadout, OnePass, Perturbing, Undeclared
from .broken_spaces import ListOfValues, ValueForValues

MISTAKES = [
    ("passes_are_specifications", OnePass, "returns a PassSpec; return a tuple, for one pass (spec,)"),
    (
        "passes_are_specifications",
        NoReadout,
        "PassSpec(size=4, gradients='weights'), which has no read-out; add readout='cotangent'",
    ),
    (
        "passes_are_specifications",
        Misspelt,
        "weights='random'); choose weights from 'fresh', 'inherited', 'normal'",
    ),
    ("networks_get_a_number", Crashing, "testing/broken_scores.py:"),
    ("networks_get_a_number", Perturbing, "denas_core.contracts.score.CONTINUOUS_INPUT for a perturbation"),
    (
        "only_declared_passes_run",
        Undeclared,
        "asks for PassSpec(size=4, readout='cotangent', gradients='weights'), which",
    ),
    ("knobs_are_plain", ValueForValues, "when=('depth', 3); write (parent, values): ('depth', (3,))"),
    ("knobs_are_plain", ListOfValues, "the values [1, 2]; write a tuple"),
    ("knobs_change_the_network", Unconditional, "say where it counts with when=(parent, values)"),
    (
        "batches_have_their_size",
        BareTensor,
        "batch() returns a Tensor; return a denas_core.Batch, e.g. continuous_batch(...)",
    ),
    ("samples_do_not_couple", RunningSum, "keep samples apart"),
    ("samples_do_not_couple", RunningSumFromTheEnd, "keep samples apart"),
    (
        "inherited_weights_are_those_of_the_checkpoint",
        Deaf,
        "gives the fresh weights of the seed; take those of the checkpoint",
    ),
    ("portable_options_make_the_same_networks", Narrowing, "leave nothing to be left out twice"),
]
