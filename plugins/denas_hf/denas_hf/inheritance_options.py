"""The options that say which weights of a checkpoint a smaller network inherits."""

from __future__ import annotations

import dataclasses

from denas_core import option


@dataclasses.dataclass(kw_only=True)
class InheritanceOptions:
    """Options of a space with a checkpoint, see `denas_hf.importance` and `denas_hf.reconstruction`."""

    inherit: str = option(
        "leading",
        "Importance of the heads, neurons, features and layers to inherit: leading, magnitude, activation, "
        "contribution, taylor, or that of a plugin",
    )
    reconstructs: bool | None = option(
        None,
        "Fit inherited weights to the outputs of the checkpoint before a training or an export; if not given, with "
        "calibration data only",
    )
    calibration: str = option(
        "", "Data set for importance and reconstruction; empty: texts of the tokenizer's words"
    )
    calibration_task: str = option(
        "", "Task that reads the calibration data; empty: the only one that recognises them"
    )
    calibration_samples: int = option(128, "Samples for importance and reconstruction", at_least=1)
    calibration_digest: str = option("", "Digest of the calibration data, in the options of a trained model")
