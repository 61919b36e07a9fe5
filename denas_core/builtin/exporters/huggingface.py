"""The exporter ``builtin/huggingface``: a folder that transformers loads, without DE-NAS if it has the network."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import importlib.metadata
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.contracts.component import option
from denas_core.contracts.exporter import Exporter
from denas_core.errors import ConfigError
from denas_core.pretrained.silence import silent_transformers
from denas_core.pretrained.streaming import ready_to_write
from denas_core.system.atomic import write_atomically, write_json
from denas_core.system.extras import require_extra
from denas_core.text import describe_error
from denas_core.values.batch import Batch
from denas_core.values.preprocessing import ImageInput, Preprocessing

from .huggingface_card import AFTER_LOADING, FIRST_USE, CardOptions, card_head
from .huggingface_classes import PIPELINES, auto_class, huggingface_network, load_network, tier_of
from .huggingface_processor import FILE as PROCESSOR
from .huggingface_processor import write_processor
from .huggingface_tokenizer import FILE as TOKENIZER
from .huggingface_tokenizer import tokenizer_text, write_tokenizer
from .model_card import render_card
from .safetensors_files import MODEL_CARD

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PretrainedConfig, PreTrainedModel

    from denas_core.contracts.trained_model import TrainedModel

NAMES = "denas.json"
"""File with the tier of the folder, the inputs of the network, and the names of those outputs that are the logits."""

SHARD = "1GB"
"""Largest size of a file with weights; one file is in memory at a time."""

START_AND_END = ("start_logits", "end_logits")
"""The two outputs of networks for question answering, of shape (samples, tokens)."""

FORCED = ("forced_bos_token_id", "forced_eos_token_id")
"""Settings of a checkpoint with the first and the last token of every text that it writes."""


@dataclasses.dataclass(kw_only=True)
class HuggingFace(Exporter):
    """A folder of Hugging Face transformers: configuration, weights, tokenizer, labels and model card.

    Weights are float32, or have 16 bits if these hold every weight exactly, as those of many checkpoints do. They are
    written in several files if they are large; a network that is larger than memory is written one file at a time.

    In tier A, transformers has the class of the network and loads it without DE-NAS. In tier B, a plugin has the class,
    and the import of its module registers the model type with transformers. The model card and the lines that load an
    export name the tier.
    """

    standalone = True
    streams = True
    tolerance = 1e-6

    license: str = option("", "Licence in the model card, as the hub names it, e.g. apache-2.0")
    base_model: str = option(
        "", "Original model in the model card; by default the name on the hub with which the training began"
    )
    dataset: str = option(
        "", "Name of the data set in the model card; by default that of the folder of the training"
    )
    language: list[str] = option([], "Codes of languages in the model card, e.g. [en]")

    def is_standalone(self, model: TrainedModel) -> bool:
        """Return whether transformers alone loads `model` (tier A)."""
        return tier_of(huggingface_network(model)) == "A"

    def write(self, model: TrainedModel, directory: Path) -> Path:
        """Write the model into `directory`, which the user opens.

        Raises:
            ConfigError: the network is not one of transformers, or none of its outputs has the logits of the space.
        """
        require_extra("train", "transformers", "safetensors", purpose="an export to transformers")
        network = huggingface_network(model)
        inputs = list(model.space.batch(1, seed=0).inputs)
        fields = _fields_of(model, network)
        config = _config_with_labels(model, network)
        with silent_transformers(), _temporary_config(network, config), ready_to_write(network):
            network.save_pretrained(directory, max_shard_size=SHARD)
        # safetensors makes files that only their owner can read.
        mode = (directory / "config.json").stat().st_mode
        for weights in directory.glob("*.safetensors"):
            weights.chmod(mode)
        if (text := tokenizer_text(model)) is not None:
            write_tokenizer(directory, text, config, inputs, longest=model.facts.get("max_length"))
        write_processor(directory, model.preprocessing())
        write_json(directory / NAMES, {"tier": tier_of(network), "inputs": inputs, "outputs": fields})
        write_atomically(directory / MODEL_CARD, self._card(model, network, directory))
        return directory

    def outputs(self, artefact: Path, batch: Batch) -> dict[str, Tensor]:
        """Load the folder with transformers, and return those of its outputs that are the logits of the space."""
        return self.opened(artefact)(batch)

    def opened(self, artefact: Path) -> Callable[[Batch], dict[str, Tensor]]:
        """Load the folder once, and return a function that runs its network."""
        import torch

        names = json.loads((artefact / NAMES).read_text(encoding="utf-8"))
        with silent_transformers():
            network = load_network(artefact)

        def run(batch: Batch) -> dict[str, Tensor]:
            inputs = {name: batch.inputs[name] for name in names["inputs"]}
            with torch.inference_mode():
                found = _run(network, inputs)
            return {name: _join_fields(found, fields) for name, fields in names["outputs"].items()}

        return run

    def usage(self, model: TrainedModel, artefact: Path) -> str:
        """Return Python code that loads the folder with transformers."""
        network = huggingface_network(model)
        loader = auto_class(network.config, type(network).__name__)
        has_tokenizer = tokenizer_text(model) is not None
        lines = [
            f"# {_tier_text(network)}",
            f"from transformers import {loader}{', AutoTokenizer' if has_tokenizer else ''}",
            f"network = {loader}.from_pretrained({str(artefact)!r})",
        ]
        if tier_of(network) == "B":
            lines.insert(1, f"import {type(network).__module__}")
        if has_tokenizer:
            lines.append(f"tokenizer = AutoTokenizer.from_pretrained({str(artefact)!r})")
        return "\n".join(lines)

    def _card(self, model: TrainedModel, network: PreTrainedModel, directory: Path) -> str:
        pipeline = PIPELINES.get(auto_class(network.config, type(network).__name__), "")
        usage = self.usage(model, Path("PATH"))
        body = render_card(
            model,
            requirements=_requirements(network, model.preprocessing()),
            usage=usage,
            note=f"This export is of {_tier_text(network)}.",
            first=_first_use(network, pipeline, directory, usage),
        )
        options = CardOptions(
            **{field.name: getattr(self, field.name) for field in dataclasses.fields(CardOptions)}
        )
        return f"{card_head(model, options, pipeline=pipeline)}\n{body}"


def _first_use(network: PreTrainedModel, pipeline: str, directory: Path, usage: str) -> str:
    """Return lines that answer for an input; empty if the folder lacks what they need."""
    if pipeline not in FIRST_USE or not any((directory / name).exists() for name in (PROCESSOR, TOKENIZER)):
        return ""
    lines = FIRST_USE[pipeline]
    if pipeline in AFTER_LOADING:
        return f"import torch\n{usage}\n{lines}"
    return f"import {type(network).__module__}\n{lines}" if tier_of(network) == "B" else lines


def _tier_text(network: PreTrainedModel) -> str:
    if tier_of(network) == "A":
        return "tier A: transformers alone loads it"
    return f"tier B: {type(network).__module__} registers {network.config.model_type!r} with transformers"


def _requirements(network: PreTrainedModel, preprocessing: Preprocessing | None) -> list[str]:
    package = type(network).__module__.partition(".")[0]
    owners = importlib.metadata.packages_distributions().get(package, [])
    found = [f"{owner}=={importlib.metadata.version(owner)}" for owner in owners if package != "transformers"]
    pictures = ["pillow"] if isinstance(preprocessing, ImageInput) else []
    return [*found, "torch", *pictures, f"'transformers>={importlib.metadata.version('transformers')}'"]


def _config_with_labels(model: TrainedModel, network: PreTrainedModel) -> PretrainedConfig:
    config = copy.deepcopy(network.config)
    # This is the folder of the original checkpoint, which exists only on this machine.
    config._name_or_path = ""
    if config.is_encoder_decoder and getattr(config, "decoder_start_token_id", None) is None:
        # The network begins with this token; the special tokens below may replace it.
        config.decoder_start_token_id = getattr(config, "pad_token_id", None)
    # A vocabulary that was learnt from the data has other special tokens than the configuration.
    special = dict(model.facts.get("special_tokens") or {})
    if special and special.get("eos_token_id") != config.eos_token_id:
        # These tokens of a checkpoint's vocabulary are written first and last, and would be other words here.
        special |= {name: None for name in FORCED if getattr(config, name, None) is not None}
    config.update(special)
    labels = model.facts.get("labels")
    if isinstance(labels, Sequence) and not isinstance(labels, str) and len(labels) == config.num_labels:
        config.id2label = {place: str(label) for place, label in enumerate(labels)}
        config.label2id = {str(label): place for place, label in enumerate(labels)}
    known = model.preprocessing()
    if known is not None and known.activation == "sigmoid":
        config.problem_type = "multi_label_classification"
    if config.num_labels == 1:
        # A single output is a score, but without this setting transformers would take it as a probability.
        config.problem_type = "regression"
    if model.facts.get("multi_label"):
        # Without this setting, the pipeline of transformers would give the labels probabilities that sum to 1.
        config.problem_type = "multi_label_classification"
    return config


@contextlib.contextmanager
def _temporary_config(network: PreTrainedModel, config: PretrainedConfig) -> Iterator[None]:
    from transformers import GenerationConfig

    before, generation = network.config, getattr(network, "generation_config", None)
    network.config = config
    if generation is not None:
        network.generation_config = GenerationConfig.from_model_config(config)
    try:
        yield
    finally:
        network.config = before
        if generation is not None:
            network.generation_config = generation


def _fields_of(model: TrainedModel, network: PreTrainedModel) -> dict[str, list[str]]:
    """Return, for each of the logits of the space, the outputs of the network from which they are made."""
    import torch

    inputs = model.space.batch(2, seed=0).inputs
    with torch.inference_mode():
        wanted = model.space.forward(network, Batch(inputs=inputs)).logits
        try:
            found = _run(network, inputs)
        except TypeError as error:
            raise ConfigError(
                f"a {type(network).__name__} does not take the inputs {', '.join(inputs)} of {model.space.id!r}: "
                f"{describe_error(error)}; export it to safetensors or torch-export"
            ) from error
    choices = [[name] for name, output in found.items() if isinstance(output, torch.Tensor)]
    if all([name] in choices for name in START_AND_END):
        choices.append([*START_AND_END])
    fields: dict[str, list[str]] = {}
    for name, tensor in wanted.items():
        same = [choice for choice in choices if _are_close(_join_fields(found, choice), tensor)]
        if not same:
            raise ConfigError(
                f"a {type(network).__name__} does not return the output {name!r} of {model.space.id!r}, but "
                f"{', '.join(found)}; export it to safetensors or torch-export"
            )
        fields[name] = same[0]
    return fields


def _run(network: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Mapping[str, Any]:
    config = network.config
    given = dict(inputs)
    if config.is_encoder_decoder and "decoder_input_ids" not in given and "input_ids" in given:
        # The text for the decoder is the text for the encoder, shifted by one token.
        named = (getattr(config, name, None) for name in ("decoder_start_token_id", "pad_token_id"))
        first = next((token for token in named if token is not None), 0)
        shifted = given["input_ids"].roll(1, 1)
        shifted[:, 0] = first
        given["decoder_input_ids"] = shifted
    outputs: Mapping[str, Any] = network(**given, return_dict=True)
    return outputs


def _join_fields(outputs: Mapping[str, Any], fields: Sequence[str]) -> Tensor:
    import torch

    tensors = [outputs[field] for field in fields]
    return tensors[0] if len(tensors) == 1 else torch.stack(tensors, -1)


def _are_close(one: Tensor, other: Tensor) -> bool:
    import torch

    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-3, atol=1e-5)
