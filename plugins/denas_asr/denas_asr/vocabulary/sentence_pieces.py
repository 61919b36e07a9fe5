"""A vocabulary of pieces of words from SentencePiece (Kudo and Richardson 2018, arXiv:1808.06226)."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from denas_core.errors import ConfigError, NotInstalled, describe_error, safe_repr

from .vocabulary import SPECIAL, Vocabulary, single_spaced

if TYPE_CHECKING:
    from types import ModuleType


class SentencePieces(Vocabulary):
    """The pieces of a SentencePiece model that stand for text; the model's special pieces are not used as symbols."""

    kind: ClassVar[str] = "sentencepiece"

    def __init__(self, model: bytes, *, origin: str) -> None:
        """Read a model.

        Args:
            model: The model's bytes, as SentencePiece writes them.
            origin: The name of the model in error texts.

        Raises:
            ConfigError: the bytes are not a model, or no piece stands for text.
            NotInstalled: sentencepiece is not installed.
        """
        library = _library()
        self._model = model
        try:
            self._processor = library.SentencePieceProcessor(model_proto=model)
        # For damaged bytes, the C++ code may raise any kind of exception.
        except Exception as error:
            raise ConfigError(f"{origin} is not a SentencePiece model: {describe_error(error)}") from error
        processor = self._processor
        self._numbers_there = [
            number
            for number in range(processor.get_piece_size())
            if not (
                processor.is_control(number) or processor.is_unknown(number) or processor.is_unused(number)
            )
        ]
        if not self._numbers_there:
            raise ConfigError(f"{origin} has no piece that stands for text")
        self._symbols = {there: len(SPECIAL) + place for place, there in enumerate(self._numbers_there)}
        self._pieces = (*SPECIAL, *(processor.id_to_piece(number) for number in self._numbers_there))

    @classmethod
    def trained(cls, texts: Sequence[str], pieces: int) -> SentencePieces:
        """Train a unigram model on some texts; the result is always the same for the same texts.

        Args:
            texts: The texts to train on.
            pieces: The number of pieces of the model.

        Raises:
            ConfigError: the texts have fewer pieces, or need more.
            NotInstalled: sentencepiece is not installed.
        """
        library = _library()
        plain_texts = [found for text in texts if (found := single_spaced(text))]
        if not plain_texts:
            raise ConfigError("the training transcripts are empty; there are no pieces to recognise")
        written = io.BytesIO()
        try:
            library.SentencePieceTrainer.train(
                sentence_iterator=iter(plain_texts),
                model_writer=written,
                model_type="unigram",
                # One more piece stands for unknown text.
                vocab_size=pieces + 1,
                unk_id=0,
                bos_id=-1,
                eos_id=-1,
                pad_id=-1,
                character_coverage=1.0,
                normalization_rule_name="identity",
                # SentencePiece would skip sentences longer than its limit.
                max_sentence_length=max(len(text.encode()) for text in plain_texts) + 1,
                num_threads=1,
                minloglevel=2,
            )
        except RuntimeError as error:
            raise _too_many_or_few(pieces, error) from error
        return cls(written.getvalue(), origin=f"vocab 'sentencepiece:{pieces}'")

    @classmethod
    def read(cls, path: Path) -> SentencePieces:
        """Return the model in a file.

        Raises:
            ConfigError: the file cannot be read, or is not a model.
            NotInstalled: sentencepiece is not installed.
        """
        try:
            model = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"vocab {str(path)!r} cannot be read: {error.strerror or error}") from error
        return cls(model, origin=f"vocab {str(path)!r}")

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> SentencePieces:
        """Return the vocabulary that `as_facts` described."""
        return cls(base64.b64decode(facts["model"]), origin="the vocabulary of the model")

    @property
    def pieces(self) -> tuple[str, ...]:
        """The special symbols followed by the pieces."""
        return self._pieces

    def encode(self, text: str) -> list[int]:
        """Return the symbols of the likeliest pieces; unknown text is left out."""
        return [self._symbols[n] for n in self._processor.encode(single_spaced(text)) if n in self._symbols]

    def decode(self, symbols: Iterable[int]) -> str:
        """Return the text of some symbols with single spaces between words."""
        there = self._numbers_there
        numbers = [
            there[symbol - len(SPECIAL)] for symbol in symbols if 0 <= symbol - len(SPECIAL) < len(there)
        ]
        return single_spaced(self._processor.decode(numbers))

    def unknown(self, text: str) -> list[str]:
        """Return the parts of a text that no piece stands for."""
        numbers = self._processor.encode(single_spaced(text))
        # SentencePiece returns an unknown part as a piece of its own.
        pieces = self._processor.encode(single_spaced(text), out_type=str)
        return [piece for n, piece in zip(numbers, pieces, strict=True) if n not in self._symbols]

    def as_facts(self) -> dict[str, Any]:
        """Return values for JSON: the model's bytes in base64."""
        return {"kind": self.kind, "model": base64.b64encode(self._model).decode("ascii")}


def _library() -> ModuleType:
    try:
        import sentencepiece
    except ImportError as error:
        raise NotInstalled(
            "a vocabulary of pieces of words needs sentencepiece: pip install 'denas-asr[sentencepiece]'"
        ) from error
    found: ModuleType = sentencepiece
    return found


def _too_many_or_few(pieces: int, error: RuntimeError) -> ConfigError:
    """Return SentencePiece's error about the number of pieces as one line; it counts the unknown piece too."""
    what = f"vocab 'sentencepiece:{pieces}' does not suit the training transcripts"
    if most := re.search(r"set it to a value <= (\d+)", str(error)):
        return ConfigError(f"{what}: they have at most {int(most[1]) - 1} pieces; choose no more")
    if least := re.search(r"smaller than required_chars\. \d+ vs (\d+)", str(error)):
        return ConfigError(
            f"{what}: their characters alone are {int(least[1]) - 1} pieces; choose at least as many, or char"
        )
    return ConfigError(f"{what}: {safe_repr(describe_error(error))}")
