"""Seeds derived by hash: what is drawn depends on what it is for, never on order, worker or global state."""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any

SCHEME = 1
"""Raised when a change alters the numbers that a seed leads to."""


def canonical_json(value: Any) -> str:
    """Return the one JSON text of `value`: sorted keys, no spaces, no NaN; equal values give equal text.

    Raises:
        ValueError: `value` holds NaN or infinity.
        TypeError: `value` holds something JSON has no form for.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


def digest(value: Any, *, size: int = 16) -> str:
    """Return the BLAKE2b hash of the canonical JSON of `value` as `2 * size` hexadecimal digits."""
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=size).hexdigest()


def derive_seed(run_seed: int, purpose: str, *names: Any) -> int:
    """Return the 63-bit seed for one purpose, e.g. ``derive_seed(0, "batch", "noise", 2)``.

    63 bits, because both `torch.Generator.manual_seed` and SQLite take signed 64-bit integers.
    """
    return int(digest([SCHEME, run_seed, purpose, list(names)], size=8), 16) >> 1


def derive_rng(run_seed: int, purpose: str, *names: Any) -> random.Random:
    """Return a private random generator for one purpose."""
    return random.Random(derive_seed(run_seed, purpose, *names))
