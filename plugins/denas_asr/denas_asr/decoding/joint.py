"""Joint decoding: a beam search that combines the scores of CTC and of the attention decoder.

Source: Hori, Watanabe and Hershey 2017 (Joint CTC/attention decoding for end-to-end speech recognition, ACL) and
Watanabe et al. 2017 (doi:10.1109/JSTSP.2017.2763455). Networks are trained as in Kim, Hori and Watanabe 2017
(arXiv:1609.06773).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .attention_scorer import AttentionScorer, Network
from .ctc_scorer import CtcScorer
from .frames import counted, log_probabilities
from .hypothesis import Hypothesis
from .language_scorer import SymbolFusion, SymbolScorer, WordScorer
from .scorer import Scorer
from .symbol_beam import Limits, search
from .word_model import WordFusion

GROUP_NUMBERS = 8_000_000
"""Limit on CTC outputs (utterances x frames x symbols) that are searched at once: two tables of 64 MB in float64."""


@torch.no_grad()
def joint_beam(
    network: Network,
    encoded: Tensor,
    lengths: Tensor | None = None,
    *,
    beam: int,
    ctc_weight: float,
    lm: WordFusion | SymbolFusion | None = None,
    longest: float = 1.0,
    length_power: float = 0.0,
) -> list[list[Hypothesis]]:
    """Return at most `beam` texts for each utterance, best first.

    A text's score is ``ctc_weight * log p_ctc + (1 - ctc_weight) * log p_attention``, plus the language model's part.
    An utterance without frames has the empty text.

    Args:
        network: The network in evaluation mode. A side (CTC or attention) with weight 0 is not computed.
        encoded: The encoder's output, (utterances, frames, width).
        lengths: Number of valid frames, (utterances,); None if all are valid. Padding does not change the result.
        beam: Number of texts kept at each length.
        ctc_weight: From 0 to 1.
        lm: Language model with its weight and bonus.
        longest: Greatest number of symbols in a text for each frame; values above 1.0 help only if `ctc_weight` is 0.
        length_power: Texts are ranked by ``score / (symbols + 1) ** length_power``.

    Raises:
        NoResult: the network or the language model returns NaN or an infinite value.
    """
    log_probs = log_probabilities(network.ctc(encoded))
    lengths = counted(log_probs, lengths)
    found = [[Hypothesis((), 0.0)] for _ in encoded]
    for group in _groups(lengths, log_probs.shape[2]):
        index = torch.tensor(group, device=lengths.device)
        frames = int(lengths[index].max())
        limits = Limits(
            beam=beam,
            longest=[max(1, int(longest * length)) for length in lengths[index].tolist()],
            bonus=0.0 if lm is None else lm.bonus,
            length_power=length_power,
        )
        scorers: list[tuple[float, Scorer]] = []
        if ctc_weight > 0:
            scorers.append((ctc_weight, CtcScorer(log_probs[index, :frames], lengths[index])))
        if ctc_weight < 1:
            scorers.append(
                (1 - ctc_weight, AttentionScorer(network, encoded[index, :frames], lengths[index]))
            )
        if lm is not None:
            scorers.append((1.0, _language_scorer(lm, len(group), encoded.device)))
        for utterance, hypotheses in zip(group, search(scorers, limits, encoded.device), strict=True):
            found[utterance] = hypotheses
    return found


def _groups(lengths: Tensor, symbols: int) -> list[list[int]]:
    """Group the indices of utterances that have frames, by similar length; a group is as large as memory allows."""
    groups: list[list[int]] = []
    frames = lengths.tolist()
    for place in sorted((place for place, length in enumerate(frames) if length), key=lambda p: -frames[p]):
        if not groups or (len(groups[-1]) + 1) * frames[groups[-1][0]] * symbols > GROUP_NUMBERS:
            groups.append([])
        groups[-1].append(place)
    return groups


def _language_scorer(lm: WordFusion | SymbolFusion, utterances: int, device: torch.device) -> Scorer:
    if isinstance(lm, WordFusion):
        return WordScorer(lm, utterances, device)
    return SymbolScorer(lm, utterances, device)
