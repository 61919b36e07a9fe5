"""What a check is: a plain function that raises where one property of a component does not hold."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from unittest import SkipTest

Check = Callable[..., None]
"""Takes a component, and the spaces it is tried on where its kind needs some. Its first docstring line is its claim."""


class CheckFailed(AssertionError):
    """A property does not hold; the text says what was seen and how to fix it."""


# Test runners know a SkipTest for what it is, so that this package needs none of them.
class CheckSkipped(SkipTest):
    """A property does not apply to this component; the text says why."""


def require(holds: bool, explanation: str) -> None:
    """Fail the check unless `holds`.

    Raises:
        CheckFailed: with `explanation`.
    """
    if not holds:
        raise CheckFailed(explanation)


def name_of(check: Check) -> str:
    """Return the name of a check, such as ``samples_repeat``."""
    return str(getattr(check, "__name__", check))


def claim_of(check: Check) -> str:
    """Return what a check claims: the first line of its documentation, without the full stop."""
    return (inspect.getdoc(check) or name_of(check)).partition("\n")[0].rstrip(".")
