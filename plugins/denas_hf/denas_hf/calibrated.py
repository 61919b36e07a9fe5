"""The checkpoint of a space with its calibration batches. Each part is made when it is first needed, and only once."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError

from .importance import LEADING, Checkpoint

if TYPE_CHECKING:
    from torch import nn

    from denas_core import ScoringData, SearchSpace

    from .inheriting import Inheritance
    from .start import Start


def existing_data(text: str) -> str:
    """Return the absolute path of calibration data.

    Raises:
        ConfigError: there are none.
    """
    path = Path(text).expanduser()
    if not path.exists():
        raise ConfigError(f"there are no calibration data {text!r}; name a data set with space.calibration")
    return str(path.resolve())


class Calibrated:
    """What a space with calibration data inherits.

    Args:
        space: The space, which runs the networks.
        start: Its checkpoint.
        seconds: Length of a sound.
    """

    def __init__(self, space: SearchSpace, start: Start, *, seconds: float) -> None:
        self._space, self._start, self._options = space, start, space.options()
        self._seconds = seconds

    @functools.cached_property
    def data(self) -> ScoringData | None:
        """The data of the option ``calibration``; None without the option.

        Raises:
            ConfigError: they are damaged or empty, or no installed task reads them.
        """
        if not self._options["calibration"]:
            return None
        from denas_core import open_data

        # Tasks look at the space, whose fingerprint must not ask for these data again.
        options = {**self._options, "inherit": LEADING, "calibration": "", "calibration_task": ""}
        plain = type(self._space)(**options).named(self._space.id)
        task = self._options["calibration_task"] or None
        return open_data(plain, Path(self._options["calibration"]), task=task)

    def digest(self) -> str:
        """Return the digest of the calibration data; empty without data."""
        known: str = self._options["calibration_digest"]
        return known if known or self.data is None else self.data.fingerprint()

    @functools.cached_property
    def checkpoint(self) -> Checkpoint:
        """The network of the checkpoint with its weights, and the calibration batches; do not change them.

        Raises:
            ConfigError: the checkpoint is damaged, or the calibration data cannot be read.
        """
        from .calibration import calibration_batches, data_batches
        from .inheriting import network_of

        network = network_of(self._start.original, self._start.pretrained)
        original, samples = self._start.original, self._options["calibration_samples"]
        if self.data is not None:
            batches = data_batches(self.data, samples)
        else:
            tokenizer = self._start.pretrained.tokenizer_file
            batches = calibration_batches(original, tokenizer, samples=samples, seconds=self._seconds)
        return Checkpoint(
            network=network,
            original=original,
            batches=batches,
            forward=self._space.forward,
        )

    @functools.cached_property
    def inheritance(self) -> Inheritance:
        """The weights to inherit, with their importance."""
        found = self._start.inheritance
        found.calibrate(lambda: self.checkpoint)
        return found

    def reconstruct(self, network: nn.Module, config: Any) -> None:
        """Fit the inherited weights of a network of `config`, see `denas_hf.reconstruction`."""
        from .network import base_of
        from .reconstruction import reconstruct

        reconstruct(base_of(network)[1], self.checkpoint, self.inheritance.choice(config))
