from __future__ import annotations

from pathlib import Path

import pytest

from .toy_recognition import toy_data, toy_plan, toy_training


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the example of speech recognition."""
    return toy_data(tmp_path_factory.mktemp("speech"))


@pytest.fixture(scope="session")
def trained(speech: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a training on the example that has learnt it by heart."""
    out = tmp_path_factory.mktemp("trained") / "training"
    toy_training(toy_plan(speech, epochs=100, lr=5e-3, warmup=0.1, label_smoothing=0.0, eval_epochs=100), out)
    return out
