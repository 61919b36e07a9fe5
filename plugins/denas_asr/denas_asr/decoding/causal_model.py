"""Language models of symbols, read from checkpoints of the transformers library."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from denas_core.errors import ConfigError, describe_error, safe_repr


class CausalModel:
    """A causal language model of transformers whose tokens are the symbols of a vocabulary, `BOS` and `EOS` among them.

    Of a text longer than the model's positions, only the last symbols that fit are read.
    """

    def __init__(self, folder: Path, *, symbols: int) -> None:
        """Read a folder that ``save_pretrained`` wrote: only its JSON and safetensors files, never code or pickles.

        Args:
            folder: The folder.
            symbols: Size of the vocabulary, with its special symbols.

        Raises:
            ConfigError: the folder holds no such model, or one of another vocabulary.
        """
        # This import takes seconds, and other decoders do not need it.
        from transformers import AutoModelForCausalLM

        try:
            model: Any = AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
            )
        # For a damaged folder, the library may raise any kind of exception.
        except Exception as error:
            raise ConfigError(
                f"language model {safe_repr(str(folder))} is not a causal language model: {describe_error(error)}"
            ) from error
        if model.config.vocab_size != symbols:
            raise ConfigError(
                f"language model {safe_repr(str(folder))} has {model.config.vocab_size} tokens and the vocabulary "
                f"{symbols} symbols; train it on the same symbols"
            )
        self._model = model.eval()
        self._positions = getattr(model.config, "max_position_embeddings", None)

    @torch.no_grad()
    def __call__(self, texts: Tensor) -> Tensor:
        """Return the log-probabilities of the symbol after each text, (texts, vocabulary)."""
        model = self._model.to(texts.device)
        if self._positions is not None:
            texts = texts[:, -self._positions :]
        return cast("Tensor", model(input_ids=texts, use_cache=False).logits[:, -1]).log_softmax(-1)
