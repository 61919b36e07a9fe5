"""The space of BERT keeps the promises of every search space: with each preset, and with a checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.testing import SpaceTests
from denas_nlp.bert.space import Bert
from tests.nlp.tiny_bert import SIZES, save_checkpoint


@pytest.mark.nightly
class TestStockNetworks(SpaceTests):
    def make(self) -> Bert:
        return Bert(**SIZES, tied=True).named("nlp/bert")


class TestTheSpaceOfTheOriginal(SpaceTests):
    def make(self) -> Bert:
        return Bert(**SIZES, hidden=[12, 32], tied=False, probe_tokens=3).named("nlp/bert")


@pytest.mark.nightly
class TestAnActivationThatIsCountedOnMeta(SpaceTests):
    def make(self) -> Bert:
        config = {"hidden_act": "gelu_new", "layer_norm_eps": 1e-5}
        return Bert(**SIZES, tied=True, config=config).named("nlp/bert")


class TestMicro(SpaceTests):
    def make(self) -> Bert:
        # A table of fewer tokens is drawn faster; the other sizes are those of the preset.
        return Bert(**{**Bert.presets["micro"], "vocab_size": 100}).named("nlp/bert")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save_checkpoint(tmp_path_factory.mktemp("checkpoint"))
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n")
    return folder


class TestACheckpoint(SpaceTests):
    folder = ""

    @pytest.fixture(autouse=True)
    def of_the_module(self, checkpoint: Path) -> None:
        self.folder = str(checkpoint)

    def make(self) -> Bert:
        options = {"checkpoint": self.folder, "tied": False, "inherit": "magnitude", "seq_len": 9}
        return Bert(**options).named("nlp/bert")
