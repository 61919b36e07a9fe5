"""A ``tokenizer.json``, and the same one with fewer tokens."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError, describe_error
from denas_core.pretrained import silent_transformers, tokenizer_json

from .pieces import Pieces, pieces_of

if TYPE_CHECKING:
    from denas_core.pretrained import CheckpointFiles

FILE = "tokenizer.json"
_PAIRS = ("BertProcessing", "RobertaProcessing")
_PLAIN = ("ByteLevel",)


class TokenizerFile:
    """The contents of a ``tokenizer.json``.

    Attributes:
        document: The contents.
        pieces: Its tokens.
    """

    def __init__(self, text: str, *, origin: str) -> None:
        """Read the text of a file, whose name in errors is `origin`.

        Raises:
            ConfigError: it is damaged, or is of a kind whose tokens cannot be replaced by others.
        """
        try:
            self.document: dict[str, Any] = json.loads(text)
            self.pieces: Pieces = pieces_of(self.document["model"])
            self._added = {str(token["content"]): int(token["id"]) for token in self.document["added_tokens"]}
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise ConfigError(
                f"{origin!r} is not a tokenizer: {describe_error(error)}; download the checkpoint again"
            ) from error

    @functools.cached_property
    def ids(self) -> Mapping[str, int]:
        """The number of each token, with the added ones."""
        return {**self.pieces.ids, **self._added}

    @property
    def added(self) -> set[int]:
        """The tokens that were added to those of the model, such as special ones."""
        return {*self._added.values()}

    def without(self, numbers: Mapping[int, int]) -> str:
        """Return the text of a file with fewer tokens.

        Args:
            numbers: The new number of each token that is kept, all added ones among them.

        Raises:
            ConfigError: the file has parts of a kind that is not known, or cannot have these numbers.
        """
        document = copy.deepcopy(self.document)
        document["model"] = self.pieces.without(numbers)
        for token in document["added_tokens"]:
            token["id"] = numbers[token["id"]]
        document["added_tokens"].sort(key=lambda token: token["id"])
        if (padding := document.get("padding")) and padding["pad_id"] in numbers:
            padding["pad_id"] = numbers[padding["pad_id"]]
        _renumber(document.get("post_processor"), numbers)
        text = json.dumps(document, ensure_ascii=False)
        self._check(text, numbers)
        return text

    def _check(self, text: str, numbers: Mapping[int, int]) -> None:
        """Check that a tokenizer of `text` has the numbers that were meant."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(text)
        for token, id in self.ids.items():
            if id in numbers and tokenizer.token_to_id(token) != numbers[id]:
                raise ConfigError(
                    f"the tokenizer cannot do without some of its tokens: {token!r} would be number "
                    f"{tokenizer.token_to_id(token)}, not {numbers[id]}"
                )


def _renumber(processor: dict[str, Any] | None, numbers: Mapping[int, int]) -> None:
    """Renumber the special tokens that are put around a text."""
    kind = processor["type"] if processor else None
    if processor is None or kind in _PLAIN:
        return
    if kind == "Sequence":
        for inner in processor["processors"]:
            _renumber(inner, numbers)
    elif kind == "TemplateProcessing":
        for token in processor["special_tokens"].values():
            token["ids"] = [numbers[id] for id in token["ids"]]
    elif kind in _PAIRS:
        for name in ("sep", "cls"):
            processor[name][1] = numbers[processor[name][1]]
    else:
        raise ConfigError(
            f"the tokenizer has a post-processor of the kind {kind!r}, whose tokens are not known"
        )


def read_tokenizer(files: CheckpointFiles) -> TokenizerFile:
    """Return the tokenizer of a checkpoint; transformers converts one of another form.

    Raises:
        ConfigError: there is none, or it is damaged.
    """
    if files.tokenizer is not None:
        return TokenizerFile(tokenizer_json(files.tokenizer), origin=str(files.tokenizer))
    from transformers import AutoTokenizer

    folder = files.directory
    try:
        with silent_transformers():
            converted = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            text = str(converted.backend_tokenizer.to_str())
    # Files of unusual forms can cause any exception in transformers.
    except Exception as error:
        raise ConfigError(
            f"{str(folder)!r} has no {FILE} whose tokens could be chosen: {describe_error(error)}"
        ) from error
    return TokenizerFile(text, origin=str(folder))
