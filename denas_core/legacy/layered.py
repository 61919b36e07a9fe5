"""The original's choices of transformers whose blocks differ, in its section SEARCH_SPACE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.errors import ConfigError

from .contract import OldConfig, Outcome, Rule

_OPTIONS = {"DEPTH": "depths", "MLP_RATIO": "mlp_ratios", "NUM_HEADS": "heads", "EMBED_DIM": "embed_dims"}
"""Option by the key of the section SEARCH_SPACE."""


def layered_choices(usual: Mapping[str, Sequence[float]]) -> Rule:
    """Return the rule of SEARCH_SPACE for a space with the options of `denas_core.networks.layered`.

    Args:
        usual: Choices that the space has anyway, by option; where the file has the same, nothing is set.
    """

    def rule(old: OldConfig, key: str) -> Outcome:
        section = old.get(key)
        settings: dict[str, Any] = {}
        for name, choices in section.items() if isinstance(section, dict) else [("", None)]:
            kinds = (int, float) if name == "MLP_RATIO" else (int,)
            if name not in _OPTIONS or not isinstance(choices, list) or not choices:
                raise _refused(old, key)
            if any(type(choice) not in kinds for choice in choices):
                raise _refused(old, key)
            found = sorted(set(map(kinds[-1], choices)))
            if found != list(usual.get(_OPTIONS[name], ())):
                settings[f"space.{_OPTIONS[name]}"] = found
        return Outcome(fate="translated", settings=settings)

    return rule


def _refused(old: OldConfig, key: str) -> ConfigError:
    return old.refused(key, f"lists of numbers under {', '.join(_OPTIONS)}, whole ones but for MLP_RATIO")
