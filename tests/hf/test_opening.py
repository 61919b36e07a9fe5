"""A space over a whole checkpoint opens it as ``hf/auto`` does, and has the options that this has resolved."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_hf import CheckpointOptions, open_checkpoint

from .tiny_models import CONFIGS, checkpoint, inheriting_space


@dataclasses.dataclass(kw_only=True)
class Over(CheckpointOptions):
    """The options of a space over a checkpoint, and one of its own."""

    own: int = 1


def test_options_have_the_path_and_the_lengths_that_were_resolved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(checkpoint("bert"), tmp_path / "bert")
    monkeypatch.chdir(tmp_path)
    options = Over(model="bert", own=2)
    opened = open_checkpoint(options)
    positions = CONFIGS["bert"]["max_position_embeddings"]
    assert options == Over(model=str(tmp_path / "bert"), own=2, seq_len=positions, probe_tokens=16)
    assert opened.inherits
    assert opened.start.digest() == inheriting_space("bert").start.digest()


def test_a_configuration_has_no_weights() -> None:
    opened = open_checkpoint(Over(config=CONFIGS["bert"], seq_len=8))
    assert not opened.inherits
    assert (opened.seq_len, opened.probe_tokens) == (8, 8)


def test_a_checkpoint_that_is_not_there_is_one_line() -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        open_checkpoint(Over(model="./nowhere"))
