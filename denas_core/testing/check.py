"""What a check is: one claim about a component, and a function that raises where the claim does not hold."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any, NoReturn
from unittest import SkipTest

from denas_core.isolation.guard import restored

from .faults import describe_fault

Sampler = Callable[[Any, tuple[Any, ...]], Iterable[Any]]
"""Yields what a component is tried on, from the component and the spaces that are given for it."""


class CheckFailed(AssertionError):
    """A claim does not hold; the text says what was seen and what to do about it."""


# Test runners know what a SkipTest is, so that this package needs none of them.
class CheckSkipped(SkipTest):
    """A claim does not apply to this component; the text says why."""


class ForTheCheck(Exception):
    """What a check lets a call raise, to see whether it comes through."""


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """One claim about a component.

    Attributes:
        name: Its name, such as ``canonical_is_idempotent``.
        claim: What it claims, in one sentence without the full stop.
        function: Takes the component, and one sample if there are samples. It raises where the claim does not hold.
        samples: What the component is tried on; None for a claim about the component alone.
    """

    name: str
    claim: str
    function: Callable[..., None]
    samples: Sampler | None = None

    def __call__(self, component: Any, spaces: Iterable[Any] = ()) -> None:
        """Try a component, on one thread of torch, and put the state of the process back.

        Raises:
            CheckFailed: the claim does not hold.
            CheckSkipped: it does not apply.
        """
        with restored():
            if torch := sys.modules.get("torch"):
                torch.set_num_threads(1)
            if self.samples is None:
                self.function(component)
                return
            is_tried = False
            for sample in self.samples(component, tuple(spaces)):
                self.function(component, sample)
                is_tried = True
            if not is_tried:
                raise CheckSkipped("there is nothing to try it on")


def check(function: Callable[..., None]) -> Check:
    """Make a check of a function that takes the component; the first line of its documentation is the claim."""
    claim = (inspect.getdoc(function) or function.__name__).partition("\n")[0].rstrip(".")
    return Check(function.__name__, claim, function)


def check_on(samples: Sampler) -> Callable[[Callable[..., None]], Check]:
    """Make a check of a function that takes the component and a sample, and is called for each sample."""
    return lambda function: dataclasses.replace(check(function), samples=samples)


def checks_in(*modules: ModuleType) -> tuple[Check, ...]:
    """Return the checks that are defined in some modules, in the order in which they stand there."""
    return tuple(
        found
        for module in modules
        for found in vars(module).values()
        if isinstance(found, Check) and found.function.__module__ == module.__name__
    )


def fail(explanation: str) -> NoReturn:
    """Fail the check.

    Raises:
        CheckFailed: with `explanation`.
    """
    raise CheckFailed(explanation)


@contextlib.contextmanager
def must_succeed(what: str, advice: str) -> Iterator[None]:
    """Fail the check if what runs inside raises an exception.

    Raises:
        CheckFailed: naming `what` was called, the exception and its place, and the advice.
    """
    try:
        yield
    except (CheckFailed, CheckSkipped):
        raise
    except Exception as error:
        raise CheckFailed(f"{what} raises {describe_fault(error)}; {advice}") from error
