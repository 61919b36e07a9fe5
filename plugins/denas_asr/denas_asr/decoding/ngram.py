"""Back-off language models of words, which kenlm reads from ARPA text or from its own binary files."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, describe_error

NATURAL = math.log(10.0)
"""Natural logarithm of 10: kenlm works with logarithms to base 10."""


class NgramModel:
    """The n-gram model of a file (Heafield 2011, KenLM). Unknown words count as the model's ``<unk>``."""

    def __init__(self, path: Path) -> None:
        """Read a file.

        Raises:
            ConfigError: kenlm is not installed, or the file is not an n-gram model.
        """
        self._kenlm = _library()
        self._model = _read(self._kenlm, path)

    def begin(self) -> Any:
        """Return the context of the first word."""
        context = self._kenlm.State()
        self._model.BeginSentenceWrite(context)
        return context

    def after(self, context: Any, word: str) -> tuple[float, Any]:
        """Return the natural log-probability of a word in its context, and the context of the next word."""
        closed = self._kenlm.State()
        return NATURAL * self._model.BaseScore(context, word, closed), closed

    def end(self, context: Any) -> float:
        """Return the natural log-probability that the text ends here."""
        return self.after(context, "</s>")[0]

    def __contains__(self, word: str) -> bool:
        return word in self._model


def _library() -> Any:
    try:
        # The import is by name because a type checker cannot find the module when the extra is not installed.
        return importlib.import_module("kenlm")
    except ImportError as error:
        raise ConfigError("an n-gram language model needs kenlm: pip install 'denas-asr[lm]'") from error


def _read(kenlm: Any, path: Path) -> Any:
    # For a missing file, the library's own message has several lines.
    if not path.is_file():
        raise ConfigError(
            f"language model {str(path)!r} is not a file; give lm a path of ARPA text or a kenlm binary"
        )
    config = kenlm.Config()
    # By default kenlm draws a progress bar and recommends a binary file on the terminal.
    config.show_progress = False
    config.arpa_complain = kenlm.ARPALoadComplain.NONE
    try:
        return kenlm.Model(str(path), config)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(
            f"language model {str(path)!r} is neither ARPA text nor a kenlm binary: {describe_error(error)}"
        ) from error
