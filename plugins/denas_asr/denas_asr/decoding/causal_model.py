"""Language models of symbols, from checkpoints of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from denas_core.errors import ConfigError, describe_error, safe_repr


class CausalModel:
    """A causal language model of transformers whose tokens are the symbols of a vocabulary, `BOS` and `EOS` among them.

    A text that is longer than its positions is read from where they reach to.
    """

    def __init__(self, folder: Path, *, symbols: int) -> None:
        """Read a folder that ``save_pretrained`` has written: JSON and safetensors; no code or pickle of it is read.

        Args:
            folder: Where it is.
            symbols: How many the vocabulary has, special ones among them.

        Raises:
            ConfigError: the folder holds no such model, or one of another vocabulary.
        """
        # Seconds of imports that other decoders do without.
        from transformers import AutoModelForCausalLM

        try:
            model: Any = AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
            )
        # Damaged folders raise whatever the library comes across.
        except Exception as error:
            raise ConfigError(
                f"language model {safe_repr(str(folder))} is no causal model of transformers: {describe_error(error)}"
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
        """Return the log-probabilities of the symbol behind each text, (texts, vocabulary)."""
        model = self._model.to(texts.device)
        if self._positions is not None:
            texts = texts[:, -self._positions :]
        return cast("Tensor", model(input_ids=texts, use_cache=False).logits[:, -1]).log_softmax(-1)
