"""Find the class of a network in transformers, and the Auto class that loads it."""

from __future__ import annotations

import math
import tempfile
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from denas_core.errors import ConfigError
from denas_core.system.machine import memory_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PretrainedConfig, PreTrainedModel

    from denas_core.contracts.trained_model import TrainedModel

LARGE_SHARE = 0.25
"""Share of the machine's memory that the weights of a folder may take when they are loaded."""

PIPELINES = {
    "AutoModelForSequenceClassification": "text-classification",
    "AutoModelForQuestionAnswering": "question-answering",
    "AutoModelForTokenClassification": "token-classification",
    "AutoModelForImageClassification": "image-classification",
    "AutoModelForAudioClassification": "audio-classification",
    "AutoModelForCausalLM": "text-generation",
    "AutoModelForSeq2SeqLM": "text2text-generation",
    "AutoModel": "feature-extraction",
}
"""The pipeline for models of an Auto class. If several classes fit, the first one here is used."""


def huggingface_network(model: TrainedModel) -> PreTrainedModel:
    """Return the network of `model`, which must be one of transformers.

    Raises:
        ConfigError: it is not.
    """
    from transformers import PreTrainedModel

    network = model.network
    if isinstance(network, PreTrainedModel):
        return network
    raise ConfigError(
        f"this network of {model.space.id!r} is a {type(network).__name__}, not a model of transformers, so it cannot "
        "be written as one; export it to safetensors or torch-export"
    )


def tier_of(network: PreTrainedModel) -> Literal["A", "B"]:
    """Return ``A`` for a class of transformers, ``B`` for a class of another package, which must be imported too."""
    return "A" if type(network).__module__.partition(".")[0] == "transformers" else "B"


def auto_class(config: PretrainedConfig, architecture: str) -> str:
    """Return the name of the Auto class that loads `architecture`, or `architecture` itself if there is none."""
    from transformers.models.auto import modeling_auto

    others = sorted(name for name in vars(modeling_auto) if name.startswith("AutoModel"))
    for name in (*PIPELINES, *others):
        kinds: Any = getattr(getattr(modeling_auto, name), "_model_mapping", {})
        if type(config) in kinds and architecture in _names(kinds[type(config)]):
            return name
    return architecture


def load_network(directory: Path) -> PreTrainedModel:
    """Load a folder with transformers, as float32. Nothing is downloaded, and no code in the folder is run.

    A network that is large for the memory of this machine reads its weights from the folder while it runs.
    """
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(directory, local_files_only=True)
    loader = getattr(transformers, auto_class(config, config.architectures[0]))
    options: dict[str, Any] = {"local_files_only": True, "dtype": torch.float32}
    available = memory_bytes()
    if available is None or _float32_bytes(directory) <= LARGE_SHARE * available:
        network: PreTrainedModel = loader.from_pretrained(directory, **options)
        return network
    # transformers writes weights there whose names it changes; the folder lives as long as the network.
    folder = tempfile.TemporaryDirectory(prefix="denas-")
    network = loader.from_pretrained(
        directory, **options, device_map={"": "disk"}, offload_folder=folder.name
    )
    weakref.finalize(network, folder.cleanup)
    return network


def _float32_bytes(directory: Path) -> int:
    """Return the size of the weights of a folder as float32."""
    from safetensors import safe_open

    total = 0
    for path in directory.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            shapes = (file.get_slice(name).get_shape() for name in file.keys())  # noqa: SIM118
            total += sum(4 * math.prod(shape) for shape in shapes)
    return total


def _names(kinds: Any) -> list[str]:
    found: Iterable[Any] = kinds if isinstance(kinds, (list, tuple)) else (kinds,)
    return [kind.__name__ for kind in found if kind is not None]
