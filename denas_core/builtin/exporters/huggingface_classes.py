"""Which class of transformers a network is, and which of its Auto classes loads it."""

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
    "AutoModel": "feature-extraction",
}
"""What models of an Auto class do, in the words of transformers; of several that fit, the first one is named."""


def huggingface_network(model: TrainedModel) -> PreTrainedModel:
    """Return the network of `model`, which is one of transformers.

    Raises:
        ConfigError: it is none.
    """
    from transformers import PreTrainedModel

    network = model.network
    if isinstance(network, PreTrainedModel):
        return network
    raise ConfigError(
        f"this network of {model.space.id!r} is a {type(network).__name__} and no model of transformers, so it cannot "
        "be written as one; export it to safetensors or torch-export"
    )


def tier_of(network: PreTrainedModel) -> Literal["A", "B"]:
    """Return ``A`` for a class that transformers itself has, ``B`` for one that has to be imported beside it."""
    return "A" if type(network).__module__.partition(".")[0] == "transformers" else "B"


def auto_class(config: PretrainedConfig, architecture: str) -> str:
    """Return the name of the Auto class that loads `architecture`, or its own name where none does."""
    from transformers.models.auto import modeling_auto

    others = sorted(name for name in vars(modeling_auto) if name.startswith("AutoModel"))
    for name in (*PIPELINES, *others):
        kinds: Any = getattr(getattr(modeling_auto, name), "_model_mapping", {})
        if type(config) in kinds and architecture in _names(kinds[type(config)]):
            return name
    return architecture


def load_network(directory: Path) -> PreTrainedModel:
    """Load what is in a folder as a user of transformers does; nothing is fetched, and no code of it is run."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(directory, local_files_only=True)
    loader = getattr(transformers, auto_class(config, config.architectures[0]))
    network: PreTrainedModel = loader.from_pretrained(directory, local_files_only=True)
    return network


def _names(kinds: Any) -> list[str]:
    found: Iterable[Any] = kinds if isinstance(kinds, (list, tuple)) else (kinds,)
    return [kind.__name__ for kind in found if kind is not None]
