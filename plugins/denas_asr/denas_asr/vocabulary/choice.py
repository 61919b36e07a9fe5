"""Make the vocabulary that the option ``task.vocab`` chooses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, did_you_mean, safe_repr

from .characters import Characters
from .sentence_pieces import SentencePieces
from .vocabulary import Vocabulary

CHARACTERS = "char"
PIECES = "sentencepiece"
SUFFIX = ".model"

_COUNTED = re.compile(rf"{PIECES}:(\d{{1,7}})")


def make_vocabulary(chosen: str, texts: Sequence[str]) -> Vocabulary:
    """Return the vocabulary that was chosen.

    Args:
        chosen: ``char``, ``sentencepiece:N`` for N pieces, or the path of a SentencePiece model.
        texts: The training transcripts, from which the vocabulary is made unless `chosen` is a file.

    Raises:
        ConfigError: the choice is unknown, the file cannot be read, or the transcripts do not suit it.
        NotInstalled: sentencepiece is needed but not installed.
    """
    if chosen == CHARACTERS:
        return Characters.of(texts)
    if counted := _COUNTED.fullmatch(chosen):
        return SentencePieces.trained(texts, int(counted[1]))
    if is_file(chosen):
        return SentencePieces.read(Path(chosen))
    name = chosen.partition(":")[0]
    hint = "" if name == PIECES else did_you_mean(name, (CHARACTERS, PIECES))
    raise ConfigError(
        f"vocab {chosen!r} is not a vocabulary{hint}; choose {CHARACTERS}, {PIECES}:N with N pieces, or the path of a "
        f"{SUFFIX} of SentencePiece"
    )


def is_file(chosen: str) -> bool:
    """Return whether a choice is the path of a file, not the name of a kind."""
    return chosen.endswith(SUFFIX) or "/" in chosen


def vocabulary_of(facts: Mapping[str, Any]) -> Vocabulary:
    """Return the vocabulary that `Vocabulary.as_facts` described.

    Raises:
        ConfigError: this version does not know the kind of vocabulary, or the facts are damaged.
    """
    from .characters import Characters
    from .sentence_pieces import SentencePieces

    kind = facts.get("kind")
    if kind == Characters.kind:
        return Characters.from_facts(facts)
    if kind == SentencePieces.kind:
        return SentencePieces.from_facts(facts)
    raise ConfigError(
        f"the model has a vocabulary of the kind {safe_repr(kind)}, which this version does not know; upgrade denas-asr"
    )
