"""The part of a configuration that says how a search knows the metrics of its candidates, and where it logs them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from denas_core.errors import ConfigError
from denas_core.system.machine import check_machine_name
from denas_core.tracking.names import TrackerName


class SearchConfig(BaseModel):
    """How a search knows the metrics of its candidates, and which trackers it logs them to."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    latency: Literal["predicted", "measured"] = Field(
        default="predicted",
        description="Whether the latency of candidates is predicted, and only finalists are measured, or measured",
    )
    machine: str | None = Field(
        default=None,
        description="Machine whose imported latency model predicts; then nothing is measured on this one",
    )

    trackers: tuple[TrackerName, ...] = Field(
        default=(),
        description="Trackers that candidates are logged to: tensorboard, mlflow, wandb, trackio",
    )

    @model_validator(mode="after")
    def _check_machine(self) -> SearchConfig:
        if self.machine is not None:
            try:
                check_machine_name(self.machine)
            except ConfigError as error:
                raise ValueError(str(error)) from error
            if self.latency == "measured":
                raise ValueError(
                    f"search.latency 'measured' and search.machine {self.machine!r} contradict each other: this "
                    "machine cannot measure the latency of another one; leave one of them out"
                )
        return self
