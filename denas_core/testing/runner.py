"""Running checks outside of a test runner: one outcome a check, whatever the component does."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from denas_core.isolation.guard import restored

from .check import Check, CheckFailed, CheckSkipped
from .faults import describe_fault

Status = Literal["passed", "failed", "skipped"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one check.

    Attributes:
        check: Name of the check.
        claim: What it claims.
        status: Whether the claim holds; ``skipped`` if it does not apply.
        reason: Why it does not hold, or was skipped; empty if it holds.
        seconds: Wall-clock time.
    """

    check: str
    claim: str
    status: Status
    reason: str
    seconds: float


def outcomes(
    checks: Iterable[Check],
    make: Callable[[], Any],
    spaces: Sequence[Any] = (),
    *,
    seconds: float = 60.0,
    skips: Mapping[str, str] | None = None,
) -> Iterator[Outcome]:
    """Yield the outcome of each check as soon as it is there.

    A check that takes longer than `seconds` has failed, and those after it are skipped: it cannot be ended, and would
    disturb them.

    Args:
        checks: The checks.
        make: Makes the component, once for each check.
        spaces: What it is tried on.
        seconds: Time that one check may take.
        skips: Reasons by the names of checks that are not run.
    """
    hanging = ""
    for check in checks:
        status: Status = "skipped"
        reason = (skips or {}).get(check.name) or (hanging and f"not run, since {hanging} did not end")
        start = time.perf_counter()
        if not reason:
            found: list[tuple[Status, str]] = []
            # A thread, because nothing else ends a wait for code that does not return.
            thread = threading.Thread(target=_run, args=(check, make, spaces, found), daemon=True)
            with restored():
                thread.start()
                thread.join(seconds)
            hanging = "" if found else check.name
            endless = f"it did not end within {seconds:g} s; look for an endless loop"
            status, reason = found[0] if found else ("failed", endless)
        spent = round(time.perf_counter() - start, 3)
        yield Outcome(check=check.name, claim=check.claim, status=status, reason=reason, seconds=spent)


def _run(
    check: Check, make: Callable[[], Any], spaces: Sequence[Any], found: list[tuple[Status, str]]
) -> None:
    try:
        check(make(), spaces)
    except CheckSkipped as skipped:
        found.append(("skipped", str(skipped)))
    except CheckFailed as failed:
        found.append(("failed", str(failed)))
    # SystemExit too: whatever a plugin raises is a failure.
    except BaseException as error:
        found.append(("failed", f"it raises {describe_fault(error)}"))
    else:
        found.append(("passed", ""))
