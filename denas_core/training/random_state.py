"""The states of the global random generators, as tensors and plain numbers without pickle."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor


def random_tensors() -> dict[str, Tensor]:
    """Return the states of torch's generators, byte by byte."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def random_numbers() -> dict[str, Any]:
    """Return the states of Python's and numpy's generators, fit for JSON."""
    version, internal, gauss = random.getstate()
    kind, keys, *rest = np.random.get_state(legacy=True)
    return {
        "python": [version, list(internal), gauss],
        "numpy": [
            kind,
            [int(key) for key in keys],
            *(float(x) if isinstance(x, float) else int(x) for x in rest),
        ],
    }


def restore_random(tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
    """Set the generators to the states that `random_tensors` and `random_numbers` returned."""
    version, internal, gauss = numbers["python"]
    random.setstate((version, tuple(internal), gauss))
    kind, keys, *rest = numbers["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), *rest))
    torch.set_rng_state(tensors["cpu"])
    if "cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["cuda"])
