"""The exporter ``adapters/peft``: a folder that peft loads over the checkpoint, without DE-NAS."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from denas_core import Batch, Exporter, TrainedModel, option, silent_libraries
from denas_core.errors import ConfigError, describe_error
from denas_core.pretrained import silent_transformers

from .adapting import adapted_layers, base_of, without_adapters
from .kinds import ADAPTER
from .saved_modules import saved_modules

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .space import Adapters

FACTS = "adapter.json"
"""File with what is needed to load the adapter: the class of the network, its number of outputs and its inputs."""

BASE = "base"
"""Folder of the checkpoint in an export that contains it."""

CLASSES = {
    "AutoModelForSequenceClassification": "SEQ_CLS",
    "AutoModelForTokenClassification": "TOKEN_CLS",
    "AutoModelForQuestionAnswering": "QUESTION_ANS",
    "AutoModelForCausalLM": "CAUSAL_LM",
    "AutoModelForImageClassification": None,
    "AutoModelForAudioClassification": None,
    "AutoModel": "FEATURE_EXTRACTION",
}
"""The class that loads a network, with its task in peft; None if peft has no name for it."""


@dataclasses.dataclass(kw_only=True)
class Peft(Exporter):
    """A folder of peft: the configuration of the adapters, their weights, and those of the head.

    By default the folder ``base`` in it has the frozen checkpoint without a head, so that the export is complete. With
    the option ``base`` it is left out, and the export is compared with the network over that checkpoint.
    """

    standalone = True

    base: str = option("", "Folder or hub id of the checkpoint; empty: a copy is written into the export")

    def write(self, model: TrainedModel, directory: Path) -> Path:
        """Write the adapters into `directory`, which the user opens.

        Raises:
            ConfigError: the network has no adapter, or peft cannot load one like it.
        """
        network, space = _network(model), cast("Adapters", model.space)
        loader = _loader(network)
        prefix, base = base_of(network)
        with silent_libraries("peft"), silent_transformers():
            from peft import get_peft_model

            config = space.adapter_kind.config(
                space.adapters(model.arch),
                before=prefix,
                saved=saved_modules(network, space.adapter_kind),
                task_type=CLASSES[loader],
                base_model_name_or_path=self._name(model),
            )
            whole = get_peft_model(_plain(network), config)
            _copy_adapters(network, whole)
            written = whole.peft_config[ADAPTER]
            written.base_model_name_or_path, written.inference_mode = self._name(model), True
            # peft has shortened the names, and keeps them in a set, whose order differs from run to run.
            written.target_modules = [f"{prefix}{name}" for name in sorted(adapted_layers(base))]
            whole.save_pretrained(directory)
            (directory / "README.md").unlink(missing_ok=True)
            if not self.base:
                _plain(base).save_pretrained(directory / BASE)
        for path in directory.rglob("*.safetensors"):
            path.chmod(0o644)
        labels = getattr(network.config, "num_labels", None)
        facts: dict[str, Any] = {"class": loader, "inputs": list(model.space.batch(1, seed=0).inputs)}
        facts |= {} if loader == "AutoModel" or loader == "AutoModelForCausalLM" else {"num_labels": labels}
        (directory / FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        return directory

    def outputs(self, artefact: Path, batch: Batch) -> dict[str, Tensor]:
        """Load the checkpoint with transformers and the adapters with peft, and return the logits."""
        return self.opened(artefact)(batch)

    def opened(self, artefact: Path) -> Callable[[Batch], dict[str, Tensor]]:
        """Load checkpoint and adapters once, and return a function that runs the network.

        Raises:
            ConfigError: the export contains no checkpoint, and there is none at ``base``.
        """
        import torch

        facts = json.loads((artefact / FACTS).read_text(encoding="utf-8"))
        network = _loaded(artefact, facts, base=self._base_of(artefact))

        def run(batch: Batch) -> dict[str, Tensor]:
            inputs = {name: batch.inputs[name] for name in facts["inputs"]}
            with torch.inference_mode():
                found = network(**inputs, return_dict=True)
            return {"logits": _logits(found)}

        return run

    def usage(self, model: TrainedModel, artefact: Path) -> str:
        """Return Python code that loads the checkpoint and the adapters."""
        network = _network(model)
        loader = _loader(network)
        labels = (
            ""
            if loader in ("AutoModel", "AutoModelForCausalLM")
            else f", num_labels={network.config.num_labels}"
        )
        base = self.base or str(artefact / BASE)
        return "\n".join(
            [
                "from peft import PeftModel",
                f"from transformers import {loader}",
                f"base = {loader}.from_pretrained({base!r}{labels})",
                f"model = PeftModel.from_pretrained(base, {str(artefact)!r}).eval()",
            ]
        )

    def _name(self, model: TrainedModel) -> str:
        """Return the name of the checkpoint on the hub, or only the name of its folder."""
        if self.base:
            path = Path(self.base).expanduser()
            return path.resolve().name if path.exists() else self.base
        known = model.history.get("space") or {}
        return str(known.get("model", "")) if isinstance(known, dict) else ""

    def _base_of(self, artefact: Path) -> str:
        if (artefact / BASE).is_dir():
            return str(artefact / BASE)
        path = Path(self.base).expanduser()
        if not self.base or (not path.exists() and self.base.count("/") != 1):
            raise ConfigError(
                f"the adapters in {str(artefact)!r} need their checkpoint, and {self.base!r} is not here; load both "
                "with peft as the export says, or export again without the option 'base'"
            )
        return str(path) if path.exists() else self.base


def _network(model: TrainedModel) -> Any:
    from transformers import PreTrainedModel

    from .space import Adapters

    if not isinstance(model.space, Adapters):
        raise ConfigError(
            f"networks of {model.space.id!r} have no adapters of peft; export them to another form"
        )
    if not model.space.adapters(model.arch):
        raise ConfigError("this network has no adapter, only a head; export it with --to adapters/merged")
    network = model.network
    if not isinstance(network, PreTrainedModel):
        raise ConfigError(
            f"this network of {model.space.id!r} is a {type(network).__name__}, which peft cannot load over a "
            "checkpoint; export it to safetensors or torch-export"
        )
    return network


def _loader(network: Any) -> str:
    from transformers.models.auto import modeling_auto

    kind, config = type(network), network.config
    if not config.is_encoder_decoder:
        for name in CLASSES:
            found = getattr(modeling_auto, name)._model_mapping.get(type(config), None)
            kinds = found if isinstance(found, (list, tuple)) else (found,)
            if kind in kinds:
                return name
    raise ConfigError(
        f"a {kind.__name__} cannot be exported as an adapter; export it with --to adapters/merged or safetensors"
    )


def _plain(network: nn.Module) -> Any:
    """Return a copy of `network` without its adapters."""
    with without_adapters(network):
        return copy.deepcopy(network)


def _copy_adapters(network: nn.Module, whole: Any) -> None:
    """Copy the weights of the adapters of `network` into a network of peft with the same adapters."""
    target = dict(whole.base_model.model.named_modules())
    for name, layer in adapted_layers(network).items():
        for child_name, child in layer.named_children():
            if child_name != "base_layer" and list(child.parameters()):
                target[name].get_submodule(child_name).load_state_dict(child.state_dict())


def _loaded(artefact: Path, facts: dict[str, Any], *, base: str) -> Any:
    import transformers
    from peft import PeftModel

    settings = {"num_labels": facts["num_labels"]} if "num_labels" in facts else {}
    try:
        with silent_libraries("peft"), silent_transformers():
            network = getattr(transformers, facts["class"]).from_pretrained(base, **settings)
            return PeftModel.from_pretrained(network, str(artefact)).eval()
    # transformers and peft raise many types of errors for a checkpoint of another network.
    except Exception as error:
        raise ConfigError(
            f"the adapters do not fit the checkpoint {base!r}: {describe_error(error)}; name the one with which the "
            "training began"
        ) from error


def _logits(found: Any) -> Tensor:
    import torch

    if "start_logits" in found:
        return torch.stack([found["start_logits"], found["end_logits"]], -1)
    logits: Tensor = found["logits"] if "logits" in found else found["last_hidden_state"]
    return logits
