"""The modality of a base model, and the outputs of a tiny one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from transformers.models.auto import modeling_auto

from denas_hf.modality import (
    AUDIO,
    IMAGE,
    SPECTROGRAM,
    SPEECH_TO_TEXT,
    TEXT,
    TEXT_TO_TEXT,
    Modality,
    Sample,
)

TOKENS = 12


def modality_of(network: nn.Module, config: Any) -> Modality | str:
    """Return the modality by what a base model takes, or why there is none; causal texts are found later."""
    main = getattr(network, "main_input_name", "input_ids")
    decodes = bool(getattr(config, "is_encoder_decoder", False))
    is_spectrogram = hasattr(config, "max_length") and hasattr(config, "num_mel_bins")
    known: dict[tuple[str, bool], Modality] = {
        ("input_ids", False): TEXT,
        ("input_ids", True): TEXT_TO_TEXT,
        ("pixel_values", False): IMAGE,
        ("input_values", False): SPECTROGRAM if is_spectrogram else AUDIO,
    }
    if hasattr(config, "max_source_positions") and hasattr(config, "num_mel_bins"):
        known["input_features", True] = SPEECH_TO_TEXT
    return known.get((main, decodes), f"its inputs, {main!r}, are of no kind that is known")


def has_class(name: str, config: Any) -> bool:
    """Return whether transformers has a class for a configuration among those of one of its automatic classes."""
    mapping = getattr(modeling_auto, name)._model_mapping
    return mapping.get(type(config), None) is not None


def inputs_of(modality: Modality, config: Any, *, seed: int = 0) -> dict[str, Tensor]:
    """Return two samples for a tiny network."""
    strides = 1
    for stride in getattr(config, "conv_stride", None) or ():
        strides *= stride
    sample = Sample(tokens=TOKENS, positions=None, seconds=14 * strides / 16_000)
    batch = modality.batch(config, sample, 2, seed=seed, kind="noise", token_types=False)
    found = modality.completed(config, batch.inputs)
    return {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in found.items()}


def arguments_of(network: nn.Module) -> Mapping[str, Any]:
    """Return the arguments of a base model that are not inputs."""
    takes = inspect.signature(network.forward).parameters
    return {"use_cache": False} if "use_cache" in takes else {}


def outputs_of(
    network: nn.Module, inputs: Mapping[str, Tensor], arguments: Mapping[str, Any]
) -> Sequence[Tensor]:
    """Return the outputs that are numbers, in a fixed order."""
    with _Double():
        output = network(**inputs, **arguments, return_dict=True)
    return [value for value in output.values() if isinstance(value, Tensor) and value.is_floating_point()]


def is_causal(network: nn.Module, inputs: Mapping[str, Tensor], arguments: Mapping[str, Any]) -> bool:
    """Return whether no position of a text sees a later one."""
    changed = dict(inputs)
    tokens = inputs["input_ids"].clone()
    tokens[:, -1] = (tokens[:, -1] + 1) % 8 + 4
    changed["input_ids"] = tokens
    with torch.no_grad():
        first, second = (outputs_of(network, given, arguments)[0] for given in (inputs, changed))
    return bool(torch.equal(first[:, :-1], second[:, :-1])) and not torch.equal(first, second)


class _Double(TorchFunctionMode):
    """Computes in float64 where a network asks for float32, as norms and softmax do for accuracy in half precision."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is Tensor.float:
            return args[0].double()
        args = tuple(torch.float64 if arg is torch.float32 else arg for arg in args)
        kwargs = {
            name: torch.float64 if value is torch.float32 else value for name, value in (kwargs or {}).items()
        }
        return func(*args, **kwargs)
