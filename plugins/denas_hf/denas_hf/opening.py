"""Open the checkpoint of a space whose networks all contain the whole checkpoint."""

from __future__ import annotations

import dataclasses

from .checkpoint_options import CheckpointOptions
from .space import Auto


def open_checkpoint(options: CheckpointOptions) -> Auto:
    """Return the space whose largest network is that of `options`, which then have the values that it has resolved.

    These are the absolute path of a folder, and the numbers of tokens.

    Args:
        options: A space that derives from `CheckpointOptions`.

    Raises:
        ConfigError: there is no such checkpoint, or its family is not known.
        ValueError: options contradict each other or the checkpoint.
    """
    names = [field.name for field in dataclasses.fields(CheckpointOptions)]
    opened = Auto(**{name: getattr(options, name) for name in names}).named("hf/auto")
    for name in names:
        setattr(options, name, getattr(opened, name))
    return opened
