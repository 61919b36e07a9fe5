"""What tasks have in common in which tokens of texts are predicted."""

from __future__ import annotations

import dataclasses
from abc import ABC
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from denas_core import Metric, Outputs, SearchSpace, Split
from denas_nlp.text.batches import TextSample
from denas_nlp.text.form import why_no_language_model
from denas_nlp.text.learning import is_learnt
from denas_nlp.text.task import Preparation, TextTask

from .scores import cross_entropy, scores_of, token_sums
from .token_split import TokenSplit

if TYPE_CHECKING:
    from torch import Tensor

RECIPE: Mapping[str, Any] = {
    "epochs": 3,
    "batch_size": 16,
    "optimizer": "adamw",
    "lr": 5e-4,
    "weight_decay": 0.01,
    "schedule": "linear",
    "warmup": 0.1,
    "clip": 1.0,
}
"""Training settings that suit small networks; most checkpoints learn with a tenth of this rate."""


@dataclasses.dataclass(kw_only=True)
class TokenTask(TextTask, ABC):
    """A task whose networks give a score for each token of the vocabulary at each position."""

    metric: ClassVar[Metric] = Metric(name="perplexity", direction="minimize")
    recipe: ClassVar[Mapping[str, Any]] = RECIPE

    wanted: ClassVar[str]
    """Name of the target with the tokens that are predicted (samples, positions)."""

    def why_unsuitable(self, space: SearchSpace) -> str:
        """Return why networks of `space` do not predict tokens in this way; empty if they do."""
        return super().why_unsuitable(space) or why_no_language_model(space, self, {"vocabulary": 8})

    def token_facts(self, train: TokenSplit, preparation: Preparation) -> dict[str, Any]:
        """Return the facts of a training: the vocabulary, and how often each of its tokens occurs."""
        rows = preparation.rows or preparation.tokenizer.size
        facts = {"vocabulary": rows, "unigram": train.counts(rows), **preparation.facts()}
        if is_learnt(self.vocab):
            facts["special_tokens"] = preparation.tokenizer.special_tokens()
        return facts

    def loss(
        self, outputs: Outputs, targets: Mapping[str, Tensor], *, label_smoothing: float = 0.0
    ) -> Tensor:
        """Return the mean cross entropy of the tokens in float32."""
        return cross_entropy(scores_of(outputs), targets[self.wanted], label_smoothing=label_smoothing)

    def predict(self, outputs: Outputs) -> Tensor:
        """Return the likeliest token at each position (samples, positions)."""
        return scores_of(outputs).argmax(-1)

    def assess(self, outputs: Outputs, targets: Mapping[str, Tensor]) -> Tensor:
        """Return sums over the tokens of each sample (samples, 3), see `token_sums`."""
        return token_sums(scores_of(outputs), targets[self.wanted])

    def chance(self, targets: Mapping[str, Tensor], split: Split[TextSample]) -> float | None:
        """Return the perplexity of the unigram model, which predicts every token alike."""
        return split.unigram_perplexity if isinstance(split, TokenSplit) else None
