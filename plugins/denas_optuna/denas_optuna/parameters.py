"""Knobs as parameters of Optuna, and parameters as values of knobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

    from denas_core import Knob, KnobValue


class Parameters:
    """The knobs of a space as parameters of Optuna.

    A knob with numbers is a whole number: the place of its value in the list of values. Samplers then know the order
    of the values, whatever the distances between them are. All other knobs are categorical.

    A knob that is not active in an architecture has no parameter there. For samplers that model only the parameters
    which all trials have, `fills_inactive` gives each inactive knob its middle value, which `KnobSpace.neighbours` also
    gives to a knob that becomes active.
    """

    def __init__(self, knobs: Sequence[Knob], *, fills_inactive: bool = False) -> None:
        from optuna.distributions import CategoricalDistribution, IntDistribution

        self._knobs = tuple(knobs)
        self._fills_inactive = fills_inactive
        self._distributions: dict[str, BaseDistribution] = {
            knob.name: IntDistribution(0, len(knob.values) - 1)
            if is_number(knob)
            else CategoricalDistribution(knob.values)
            for knob in self._knobs
        }

    def of(self, values: Mapping[str, KnobValue]) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
        """Return the parameters of an architecture with these values, and the distribution of each."""
        params: dict[str, Any] = {}
        for knob in self._knobs:
            if knob.name in values or self._fills_inactive:
                value = values.get(knob.name, knob.values[len(knob.values) // 2])
                params[knob.name] = knob.values.index(value) if is_number(knob) else value
        return params, {name: self._distributions[name] for name in params}

    def suggest(self, trial: Trial) -> dict[str, KnobValue]:
        """Return values for the active knobs, which the sampler of the trial's study chooses."""
        values: dict[str, KnobValue] = {}
        for knob in self._knobs:
            is_active = knob.is_active(values)
            if is_active or self._fills_inactive:
                value = self._suggest(trial, knob)
                if is_active:
                    values[knob.name] = value
        return values

    def _suggest(self, trial: Trial, knob: Knob) -> KnobValue:
        if is_number(knob):
            return knob.values[trial.suggest_int(knob.name, 0, len(knob.values) - 1)]
        return cast("KnobValue", trial.suggest_categorical(knob.name, knob.values))


def is_number(knob: Knob) -> bool:
    """Return whether all values of a knob are numbers."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in knob.values)
