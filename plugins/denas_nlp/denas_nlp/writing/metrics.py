"""How similar texts that were written are to those that were wanted."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from .rouge import rouge


def text_metrics(found: Sequence[str], wanted: Sequence[str]) -> dict[str, float]:
    """Return metrics of all texts together, as shares.

    ``exact_match`` is the share of equal texts, and ``word_f1`` the mean F1 of their words; for both, white space does
    not count. The F1 of a text is the harmonic mean of two shares: of its words that are wanted, and of the wanted
    words that it has. For ``rouge1``, ``rouge2`` and ``rouge_l`` see `rouge`. ``chrf`` and ``bleu`` are those of
    sacrebleu with its default settings, over all texts together and not in percent.
    """
    pairs = [(one.split(), other.split()) for one, other in zip(found, wanted, strict=True)]
    of_words = [rouge(one, other) for one, other in zip(found, wanted, strict=True)]
    return {
        "exact_match": statistics.fmean(one == other for one, other in pairs),
        "word_f1": statistics.fmean(_f1(one, other) for one, other in pairs),
        **{name: statistics.fmean(each[name] for each in of_words) for name in of_words[0]},
        **_of_sacrebleu(found, wanted),
    }


def _f1(found: Sequence[str], wanted: Sequence[str]) -> float:
    common = (Counter(found) & Counter(wanted)).total()
    return 2 * common / (len(found) + len(wanted)) if found or wanted else 1.0


def _of_sacrebleu(found: Sequence[str], wanted: Sequence[str]) -> dict[str, float]:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    # By force, because its warnings about tokenised texts are for systems of translation.
    scores: dict[str, Any] = {"chrf": CHRF(), "bleu": BLEU(force=True)}
    return {
        name: score.corpus_score(list(found), [list(wanted)]).score / 100 for name, score in scores.items()
    }
