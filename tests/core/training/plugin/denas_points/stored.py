"""Networks that take a point in the plane, with a checkpoint to begin from."""

import dataclasses
import hashlib
from pathlib import Path

from denas_core.contracts.component import option
from denas_core.errors import ConfigError
from denas_core.seeding import canonical_json

from .space import Mlp


@dataclasses.dataclass(kw_only=True)
class Stored(Mlp):
    """Multi-layer perceptrons that are the leading part of a wide one."""

    checkpoint: str = option("", "Weights of two layers of 16 neurons, as safetensors")
    digest: str = option("", "Hash of the checkpoint, where the file itself is not there")
    allow_pickle: bool = option(False, "Whether the checkpoint may end with .bin")

    def __post_init__(self):
        if self.checkpoint:
            path = Path(self.checkpoint).absolute()
            if not path.is_file():
                raise ConfigError(f"there is no checkpoint {str(path)!r}")
            if path.suffix == ".bin" and not self.allow_pickle:
                raise ConfigError(f"{str(path)!r} is a pickle; trust it with --allow-pickle")
            self.checkpoint, self.digest = str(path), hashlib.sha256(path.read_bytes()).hexdigest()

    @property
    def inherits(self):
        return bool(self.checkpoint)

    def fingerprint(self):
        return canonical_json({**self.options(), "checkpoint": "", "allow_pickle": False})

    def portable(self):
        return {**self.options(), "checkpoint": ""}

    def load(self, model, arch, *, seed, weights="fresh"):
        if weights == "fresh":
            return self.initialise(model, seed=seed)
        if not self.inherits:
            return super().load(model, arch, seed=seed, weights=weights)
        import torch
        from safetensors.torch import load_file

        source = load_file(self.checkpoint)
        model = self.initialise(model, seed=seed)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name in source and not name.startswith(f"{len(model) - 1}."):
                    parameter.copy_(source[name][tuple(map(slice, parameter.shape))])
        return model
