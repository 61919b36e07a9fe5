"""The file of ``denas train --config``: what is trained, for what, and how."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from denas_core.errors import ConfigError
from denas_core.registry.options import explain

from .config import ComponentConfig


class TrainingFile(BaseModel):
    """What a file may say of a training; options of the command line beat it."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, title="denas train"
    )

    space: ComponentConfig | None = Field(default=None, description="Space of the architecture")
    arch: str | None = Field(default=None, description="Architecture: a file, or the space's notation")
    task: ComponentConfig | None = Field(default=None, description="What to train for")
    data: str | None = Field(default=None, description="Data set: a file or folder that the task knows")
    training: dict[str, Any] = Field(default_factory=dict, description="Settings of the training")
    teacher: str | None = Field(default=None, description="Trained model whose outputs to learn too")
    device: Literal["auto", "cpu", "cuda"] | None = Field(default=None, description="Where to train")

    @field_validator("space", "task", mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


def make_training_file(document: Mapping[str, Any], *, origin: str) -> TrainingFile:
    """Return the checked content of a file.

    Raises:
        ConfigError: one line with the key, the value, the source and the nearest known key.
    """
    try:
        return TrainingFile.model_validate_json(json.dumps(dict(document), allow_nan=False))
    except ValidationError as error:
        raise ConfigError(
            explain(error, subject="the training", noun="key", model=TrainingFile, origin=origin)
        ) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"the training holds something that is not a plain value ({origin}): {error}"
        ) from error
