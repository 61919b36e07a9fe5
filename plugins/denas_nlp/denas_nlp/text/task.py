"""The base class of tasks on texts: their options, the check of spaces, and the preparation of samples."""

from __future__ import annotations

import dataclasses
from abc import ABC
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from denas_core import SearchSpace, Task, TextInput, option
from denas_core.errors import ConfigError

from .batches import TextForm, TextSample
from .form import Reach, inputs_of, reach_of
from .learning import is_learnt
from .lines import read_lines
from .opening import FACT, open_tokenizer
from .tokenizer import TextTokenizer

SHORTEST = 8
"""Smallest useful number of tokens of a sample, including special tokens."""

MANY_UNKNOWN = 10
"""A notice is given if at least one in this many tokens is unknown."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """Everything that is needed to make samples from texts.

    Attributes:
        tokenizer: The tokenizer.
        form: The input format of the networks.
        max_length: Greatest number of tokens of a sample.
        rows: Number of tokens that the networks know; None if it is not known.
        positions: Number of tokens of the longest text that the networks take; None if there is no limit.
        notices: Notices for the user.
    """

    tokenizer: TextTokenizer
    form: TextForm
    max_length: int
    rows: int | None = None
    positions: int | None = None
    notices: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Return the facts that are needed to use a trained network."""
        return {
            FACT: self.tokenizer.text,
            "max_length": self.max_length,
            "inputs": list(self.form.inputs),
        }


@dataclasses.dataclass(kw_only=True)
class TextTask(Task[TextSample], ABC):
    """A task on texts for networks that take tokens."""

    vocab: str = option(
        "",
        "Vocabulary: a WordPiece vocab.txt, a tokenizer.json; wordpiece:N or bpe:N (pairs of bytes) to learn N tokens "
        "from the training texts, without N as many as the networks know; or bytes; by default from the space or the "
        "data",
    )
    lower_case: bool | None = option(
        None,
        "Whether a vocab.txt is for lower-case texts; by default if its tokens have no upper-case letter, or if it is "
        "learnt",
    )
    max_length: int = option(
        128, "Greatest number of tokens of a sample; at most the network's positions", at_least=SHORTEST
    )
    valid_share: float = option(
        0.1, "Share of the data used for validation if there is no validation file", above=0.0, at_most=0.5
    )

    ends_texts: ClassVar[bool] = True
    """Whether a learnt tokenizer of bytes puts the end token after each text."""

    def __post_init__(self) -> None:
        """Make the path absolute, because a training may be resumed from another directory."""
        if self.vocab and not is_learnt(self.vocab):
            self.vocab = str(Path(self.vocab).expanduser().absolute())

    def items(self, path: Path) -> Iterator[tuple[str, Any]]:
        """Yield each line of a text file."""
        yield from read_lines(path)

    def item(self, text: str) -> Any:
        """Return the text itself; a reader of inputs may divide it further."""
        return text

    def preprocessing(self, space: SearchSpace, *, facts: Mapping[str, Any]) -> TextInput | None:
        """Return the tokenizer, the inputs and the length that the facts of a training hold."""
        if FACT not in facts:
            return None
        return TextInput(
            token_inputs=tuple(facts["inputs"]), max_length=int(facts["max_length"]), tokenizer=facts[FACT]
        )

    def why_unsuitable(self, space: SearchSpace) -> str:
        """Return why networks of `space` do not take texts; empty if they do."""
        found = inputs_of(space)
        return found if isinstance(found, str) else ""

    def prepared(
        self,
        data: Path,
        space: SearchSpace,
        *,
        facts: Mapping[str, Any] | None = None,
        texts: Callable[[], Iterable[str]] = tuple,
    ) -> Preparation:
        """Return the preparation of texts for networks of `space`.

        Args:
            data: The data set; its folder may contain a vocabulary.
            space: The space.
            facts: The facts of a trained network, whose tokenizer and length are used.
            texts: A function that returns the training texts, from which a vocabulary may be learnt.

        Raises:
            ConfigError: networks do not take texts, there is no tokenizer, or it has more tokens than the networks.
        """
        inputs = inputs_of(space)
        if isinstance(inputs, str):
            raise ConfigError(f"space {space.id!r} cannot read texts: {inputs}")
        tokenizer = open_tokenizer(
            space,
            data,
            vocab=self.vocab,
            lower_case=self.lower_case,
            facts=facts,
            texts=texts,
            adds_end=type(self).ends_texts,
        )
        reach = reach_of(space)
        if reach.tokens is not None and tokenizer.size > reach.tokens:
            raise ConfigError(
                f"the vocabulary has {tokenizer.size} tokens, but networks of {space.id!r} know {reach.tokens}; give "
                "the vocabulary that they were made for, or choose a space with as many tokens"
            )
        length, notices = self._length(space, reach, facts)
        return Preparation(
            tokenizer=tokenizer,
            form=TextForm(inputs=inputs, pad=tokenizer.pad),
            max_length=length,
            rows=reach.tokens,
            positions=reach.positions,
            notices=notices,
        )

    def _length(
        self, space: SearchSpace, reach: Reach, facts: Mapping[str, Any] | None
    ) -> tuple[int, tuple[str, ...]]:
        wanted = self.max_length if facts is None else int(facts["max_length"])
        if reach.positions is None or wanted <= reach.positions:
            return wanted, ()
        if reach.positions < SHORTEST:
            raise ConfigError(
                f"networks of {space.id!r} have {reach.positions} positions, too few for a text; give them more"
            )
        if facts is not None:
            raise ConfigError(
                f"the model was trained on samples of {wanted} tokens, but networks of {space.id!r} have "
                f"{reach.positions} positions"
            )
        return reach.positions, (
            f"samples have at most {reach.positions} tokens, the positions of networks of {space.id!r}, and not "
            f"{wanted} (task.max_length)",
        )


def unknown_notice(unknown: int, tokens: int) -> tuple[str, ...]:
    """Return a notice if many tokens stand for unknown text, such as letters of another script."""
    if unknown * MANY_UNKNOWN <= tokens:
        return ()
    share = 100 * unknown / max(tokens, 1)
    return (f"{share:.0f} % of the tokens are not in the vocabulary; is it the right one for these texts?",)
