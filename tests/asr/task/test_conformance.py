"""Speech recognition keeps the promises of every task."""

from __future__ import annotations

from denas_asr.conformer.space import Conformer
from denas_asr.task.recognition import SpeechRecognition
from denas_asr.transformer.space import Transformer
from denas_core.contracts.space import SearchSpace
from denas_core.testing import TaskTests
from tests.asr.tiny_spaces import SIZES


class TestSpeechRecognition(TaskTests):
    def make(self) -> SpeechRecognition:
        return SpeechRecognition().named("asr/speech-recognition")

    def spaces(self) -> tuple[SearchSpace, ...]:
        return (
            Transformer(**SIZES).named("asr/transformer"),
            Conformer(**SIZES, kernels=[3, 5]).named("asr/conformer"),
        )
