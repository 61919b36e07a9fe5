"""Find a network's answers: the best pair of start and end positions over all windows of a question."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .split import QuestionSplit

if TYPE_CHECKING:
    from torch import Tensor

NEVER = -math.inf


def likeliest(scores: Tensor, count: int) -> Tensor:
    """Return the likeliest start and end positions of an answer in each window, best first.

    Args:
        scores: (windows, tokens, 2), with ``-inf`` for padding.
        count: Number of positions; if there are fewer tokens, the rest is position 0 with a score of ``-inf``.

    Returns:
        Positions and scores (windows, 2, count, 2).
    """
    import torch

    top = scores.transpose(1, 2).topk(min(count, scores.shape[1]))
    found = scores.new_zeros(len(scores), 2, count, 2)
    found[..., 1] = NEVER
    found[:, :, : top.values.shape[-1]] = torch.stack([top.indices.float(), top.values], -1)
    return found


def with_no_answer(likely: Tensor, scores: Tensor) -> Tensor:
    """Return the likeliest positions, and after them the first token, at which windows without an answer point.

    Args:
        likely: The result of `likeliest`.
        scores: Its argument.
    """
    import torch

    none = torch.stack([torch.zeros_like(scores[:, 0]), scores[:, 0]], -1)
    return torch.cat([likely, none[:, :, None]], 2)


def best_answers(
    likely: Tensor, split: QuestionSplit, *, longest: int, threshold: float | None = None
) -> list[str]:
    """Return the answer to each question; an empty text if no window has one.

    Args:
        likely: The result of `with_no_answer`, or of `likeliest`, for all windows of the split.
        split: The windows.
        longest: Greatest number of tokens of an answer.
        threshold: If the score of no answer exceeds that of the best answer by more than this, there is no answer. The
            score of no answer is the smallest of all windows (Devlin et al. 2018, arXiv:1810.04805, section 4.3). None
            if every question has an answer.
    """
    import torch

    bounds = torch.tensor(split.windows)
    start, stop, first, last = bounds.unbind(1)
    # Convert positions in a window to tokens of the paragraph.
    shift = start - torch.tensor(split.leads)
    tokens = likely[..., 0].long() + shift[:, None, None]
    begin, end = tokens[:, 0, :, None], tokens[:, 1, None, :]
    inside = _between(begin, first, last) & _between(end, start, stop - 1)
    is_span = inside & (begin <= end) & (end < begin + longest)
    scores = likely[:, 0, :, 1, None] + likely[:, 1, None, :, 1]
    best, chosen = scores.masked_fill(~is_span, NEVER).flatten(1).max(1)
    count = likely.shape[2]
    answers = [""] * len(split.questions)
    highest = [NEVER] * len(answers)
    rows = zip(split.owners, best.tolist(), chosen.tolist(), strict=True)
    for window, (question, score, pair) in enumerate(rows):
        if score > highest[question]:
            highest[question] = score
            from_, to = tokens[window, 0, pair // count], tokens[window, 1, pair % count]
            answers[question] = split.text(question, int(from_), int(to))
    if threshold is not None:
        lowest = [math.inf] * len(answers)
        for question, score in zip(split.owners, likely[:, :, -1, 1].sum(1).tolist(), strict=True):
            lowest[question] = min(lowest[question], score)
        answers = [
            "" if none - best_one > threshold else answer
            for answer, none, best_one in zip(answers, lowest, highest, strict=True)
        ]
    return answers


def _between(values: Tensor, low: Tensor, high: Tensor) -> Tensor:
    return (low[:, None, None] <= values) & (values <= high[:, None, None])
