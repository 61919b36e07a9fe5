"""Find the class of a network in transformers, and the Auto class that loads it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PretrainedConfig, PreTrainedModel

    from denas_core.contracts.trained_model import TrainedModel

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
    """Load a folder with transformers. Nothing is downloaded, and no code in the folder is run."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(directory, local_files_only=True)
    loader = getattr(transformers, auto_class(config, config.architectures[0]))
    network: PreTrainedModel = loader.from_pretrained(directory, local_files_only=True)
    return network


def _names(kinds: Any) -> list[str]:
    found: Iterable[Any] = kinds if isinstance(kinds, (list, tuple)) else (kinds,)
    return [kind.__name__ for kind in found if kind is not None]
