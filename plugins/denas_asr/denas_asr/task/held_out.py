"""Set some training utterances aside for validation, if the data have no part for it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from denas_asr.data.utterance import Utterance
from denas_core import derive_rng
from denas_core.errors import ConfigError

FACT = "held_out"
"""The fact of a model that names the data of which a share was set aside, and the share."""


def set_aside(utterances: Sequence[Utterance], share: float) -> tuple[list[Utterance], list[Utterance]]:
    """Return the utterances to train on and those to validate on; the same ones each time for the same data.

    All utterances of a recording stay together, unless there is only one recording.

    Raises:
        ConfigError: there is only one utterance.
    """
    if len(utterances) < 2:
        raise ConfigError(
            "the data have only one utterance, so none can be used for validation; add utterances"
        )
    groups: dict[str, list[int]] = {}
    for index, utterance in enumerate(utterances):
        groups.setdefault(str(utterance.audio), []).append(index)
    lots = list(groups.values()) if len(groups) > 1 else [[index] for index in range(len(utterances))]
    count = min(max(round(share * len(lots)), 1), len(lots) - 1)
    chosen = {index for lot in derive_rng(0, "held-out utterances").sample(lots, count) for index in lot}
    parts: tuple[list[Utterance], list[Utterance]] = ([], [])
    for index, utterance in enumerate(utterances):
        parts[index in chosen].append(utterance)
    return parts


def digest_of(utterances: Sequence[Utterance]) -> str:
    """Return a text that is the same for the same utterances."""
    names = "\n".join(f"{each.id}\t{each.text}" for each in utterances)
    return hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def held_out_notice(aside: int, count: int) -> str:
    """Return the notice that a share of the utterances is used for validation."""
    return (
        f"the data have no part for validation: {aside} of {count} utterances, always the same ones, are used for "
        "validation (task.valid_share)"
    )


def check_transcripts(texts: Sequence[str], where: str) -> None:
    """Refuse training transcripts that are all equal.

    Args:
        texts: The transcripts.
        where: Where they come from, for the text of the error.

    Raises:
        ConfigError: they are equal; a network would write them without listening.
    """
    if len(texts) > 1 and len(set(texts)) == 1:
        raise ConfigError(
            f"all {len(texts)} training transcripts in {where!r} are {texts[0][:80]!r}, so there is nothing to learn "
            "from the audio; check the column of the transcripts (task.text)"
        )
