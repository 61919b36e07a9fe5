"""The search space ``hf/auto``: smaller versions of a transformers model, with weights from its checkpoint."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from denas_core import Architecture, canonical_json, load_mapping, option

from .checkpoint_options import CheckpointOptions
from .family import Family
from .notation import config_values, is_config, knob_values
from .presets import PRESETS
from .resized import ResizedModels
from .start import Start, start_of

if TYPE_CHECKING:
    from denas_core import Recipe
    from denas_core.legacy import Legacy


@dataclasses.dataclass(kw_only=True)
class Auto(ResizedModels, CheckpointOptions):
    """Smaller versions of a Hugging Face transformers model, with fewer layers, heads and features.

    The largest network is the original model; stock transformers can load all networks. All layers of a network have
    the same sizes; of a network with stages, such as Swin, only the layers of each stage are chosen. Networks can
    inherit weights of the checkpoint: whole layers, heads, neurons and features.
    """

    head_width: Literal["kept", "free"] = option(
        "kept", "Width of a head: as in the checkpoint, or the hidden width divided by the number of heads"
    )
    layers: list[int] = option([], "Choices of the number of layers; empty: half to all")
    heads: list[int] = option([], "Choices of the heads of a layer; empty: half to all")
    hidden: list[int] = option(
        [], "Choices of the hidden width if heads do not determine it; empty: half to all by 16"
    )
    intermediate: list[int] = option(
        [], "Choices of the width of feed-forward layers; empty: half to all, in 16ths"
    )

    location: ClassVar[str] = "model"

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = PRESETS

    families: ClassVar[tuple[Family, ...]] = ()
    """Families with a table; the others are derived."""

    def open_start(self) -> Start:
        """Read the configuration, and derive from it how its networks can be made smaller. Raises as is said there."""
        return start_of(self.options(), type(self).families)

    @property
    def sound_seconds(self) -> float:
        """Length of a sound."""
        return self.seconds

    def familiar(self, cost: Mapping[str, float]) -> tuple[str, Architecture] | None:
        """Return the first layers of the original network, which users keep who shorten it without a search."""
        from .first_layers import first_layers

        return first_layers(self, cost)

    def fingerprint(self) -> str:
        """Return the properties that all networks share, and the source of their weights, which are checked first."""
        # Damage is found before all of the files are read for the digest.
        inherited = self.inherited_facts()
        facts = {
            "checkpoint": self.start.digest(),
            "head_width": self.head_width,
            "seq_len": self.seq_len,
            "seconds": self.seconds,
        }
        return canonical_json({**facts, **inherited})

    def contents(self) -> Mapping[str, Any]:
        """Return the configuration."""
        return {"config": dict(self.start.pretrained.values)}

    @classmethod
    def shrinking(
        cls, checkpoint: str, *, data: Path | None, task: str | None
    ) -> Mapping[str, Mapping[str, Any]]:
        """Return the settings for a checkpoint of transformers; data calibrate the inherited weights, too."""
        # The members with the largest activations stay closer to the checkpoint than the first ones.
        space: dict[str, Any] = {"model": checkpoint, "inherit": "activation"}
        settings: dict[str, dict[str, Any]] = {"space": space, "score": {"name": "hf/fidelity"}}
        if data is not None:
            # Each is measured, see docs/hugging-face.md: 128 samples instead of 512, and no hidden states, keep less.
            space |= {"calibration": str(data), "calibration_task": task or "", "calibration_samples": 512}
            settings["training"] = {"distill_hidden": 1.0}
        return settings

    def parse(self, text: str, *, origin: str = "architecture") -> Architecture:
        """Read configuration keys as the original DE-NAS does, see `knob_values`, or the notation of every space."""
        document = load_mapping(text, origin=origin)
        inner = document.get("arch", document)
        if isinstance(inner, dict) and is_config(inner, self.start.bounds):
            values = knob_values(inner, self.start.bounds, origin=origin)
            return self.architecture(values, origin=origin)
        return super().parse(text, origin=origin)

    def format(self, arch: Architecture) -> str:
        """Return the keys of the network's configuration as JSON."""
        return canonical_json(config_values(self.start.bounds, self.dimensions(arch)))

    def reference_recipe(self) -> Recipe | None:
        """Return the settings with which the original DE-NAS scores texts; it has none for images or sounds."""
        from .legacy import RECIPE

        if not self.start.original.family.modality.is_text:
            return None
        return dataclasses.replace(RECIPE, initialisation="inherited" if self.inherits else "fresh")

    @classmethod
    def legacy(cls) -> Legacy:
        """Return the translation of the original's configurations for transformers models."""
        from .legacy import LEGACY

        return LEGACY
