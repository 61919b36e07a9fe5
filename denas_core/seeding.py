"""Seeds derived by hash: random numbers depend on their purpose, never on call order, workers or global state."""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any

SCHEME = 1
"""Version of this scheme. Increase it when a change makes equal seeds give other random numbers."""


def canonical_json(value: Any) -> str:
    """Return `value` as JSON with sorted keys and without spaces, so that equal values give equal texts.

    Raises:
        ValueError: `value` contains NaN or infinity.
        TypeError: `value` contains something that JSON cannot represent.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


def digest(value: Any, *, size: int = 16) -> str:
    """Return the BLAKE2b hash of the canonical JSON of `value` as `2 * size` hexadecimal digits."""
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=size).hexdigest()


def derive_seed(run_seed: int, purpose: str, *names: Any) -> int:
    """Return the seed for one purpose, such as ``derive_seed(0, "batch", "noise", 2)``.

    It has 63 bits because `torch.Generator.manual_seed` and SQLite both take signed 64-bit integers.
    """
    return int(digest([SCHEME, run_seed, purpose, list(names)], size=8), 16) >> 1


def derive_rng(run_seed: int, purpose: str, *names: Any) -> random.Random:
    """Return a new random generator, seeded by `derive_seed`, for one purpose."""
    return random.Random(derive_seed(run_seed, purpose, *names))
