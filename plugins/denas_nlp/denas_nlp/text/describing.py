"""What descriptions of text data have in common: lengths, the vocabulary, and spaces that suit them."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .learning import LEARNT
from .opening import NAMES

MOST_BYTES = 8 * 2**20
"""A description reads this much of a table; numbers of a larger one are estimated."""

TOKENS_PER_WORD = 1.4
"""Tokens of a learnt vocabulary for a word or a punctuation mark, roughly."""

SPACES = ("nlp/bert:micro",)
"""Spaces for texts, with presets whose networks learn from thousands of texts without a checkpoint."""

SPACES_FOR_MANY = ("nlp/bert:micro", "nlp/bert:denas")
_MANY = 200_000

_SHORTEST, _LONGEST = 16, 512
_WORD = re.compile(r"\w+|[^\w\s]")
_PROBED = 2000


def length_facts(texts: Sequence[str]) -> dict[str, Any]:
    """Return how long texts are, for users."""
    lengths = _lengths(texts)
    if not lengths:
        return {}
    median, most = statistics.median(lengths), lengths[int(0.95 * (len(lengths) - 1))]
    return {"words": f"{median:.0f} (median), 95 % of the texts have at most {most}"}


def token_length(texts: Sequence[str]) -> int:
    """Return a number of tokens that most texts have at most, roughly, as a multiple of 8."""
    lengths = _lengths(texts)
    words = lengths[int(0.95 * (len(lengths) - 1))] if lengths else _SHORTEST
    return min(max(8 * round((TOKENS_PER_WORD * words + 2) / 8 + 0.5), _SHORTEST), _LONGEST)


def vocabulary_options(data: Path, vocab: str, *, learnt: str = LEARNT) -> dict[str, Any]:
    """Return the option that makes the data readable without a checkpoint: a vocabulary that is learnt from them.

    Args:
        data: The data set.
        vocab: The option that the user has given.
        learnt: The kind of vocabulary to learn.
    """
    folder = data if data.is_dir() else data.parent
    is_beside = any((folder / name).is_file() for name in NAMES)
    return {} if vocab or is_beside else {"vocab": learnt}


def spaces_for(samples: int) -> tuple[str, ...]:
    """Return names of spaces for this number of training samples."""
    return SPACES_FOR_MANY if samples >= _MANY else SPACES


def language_facts(texts: Sequence[str]) -> dict[str, Any]:
    """Return the scripts of the texts, the most frequent first."""
    import unicodedata
    from collections import Counter

    letters = Counter(letter for text in texts[:_PROBED] for letter in set(text) if letter.isalpha())
    scripts: Counter[str] = Counter()
    for letter, count in letters.items():
        scripts[unicodedata.name(letter, "OTHER").partition(" ")[0].capitalize()] += count
    total = scripts.total()
    found = [script for script, count in scripts.most_common(3) if count * 20 >= total]
    return {"script": ", ".join(found)} if found else {}


def _lengths(texts: Sequence[str]) -> list[int]:
    step = max(len(texts) // _PROBED, 1)
    return sorted(len(_WORD.findall(text)) for text in texts[::step])
