"""The options that say which network of transformers a space begins with, and how large its inputs are."""

from __future__ import annotations

import dataclasses
from typing import Any

from denas_core import option


@dataclasses.dataclass(kw_only=True)
class OriginalOptions:
    """Options of every space whose networks are made from an original one."""

    allow_pickle: bool = option(False, "Allow a checkpoint that is a pickle; only its tensors are read")
    seq_len: int | None = option(
        None, "Tokens of a text for FLOPs, memory and latency; by default 128, or all positions", at_least=1
    )
    probe_tokens: int | None = option(
        None, "Tokens of a text that diversity and saliency see; by default 16, or seq_len", at_least=1
    )
    digest: str = option("", "SHA-256 of the checkpoint, in the options of a trained model")


@dataclasses.dataclass(kw_only=True)
class CheckpointOptions(OriginalOptions):
    """Options of every space that begins with any network of transformers; `open_checkpoint` opens it."""

    model: str = option(
        "",
        "The original network: folder of a checkpoint, config.json or hub id; empty: BERT-base's config",
    )
    seconds: float = option(1.0, "Seconds of a sound, at 16 kHz", at_least=0.01, at_most=3600)
    config: dict[str, Any] = option(
        {}, "A configuration instead of a model, in the options of a trained model"
    )
