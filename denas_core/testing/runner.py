"""Running checks outside of a test runner: one outcome a check, whatever the component does."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from .check import Check, CheckFailed, CheckSkipped, claim_of, name_of
from .faults import told
from .samples.surroundings import restored

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

    def as_dict(self) -> dict[str, object]:
        """Return the fields, fit for JSON."""
        return dataclasses.asdict(self)


def outcomes(
    calls: Iterable[tuple[Check, Callable[[], None]]],
    *,
    seconds: float = 60.0,
    skips: Mapping[str, str] | None = None,
) -> Iterator[Outcome]:
    """Yield the outcome of each check as soon as it is there.

    A check that takes longer than `seconds` has failed, and those after it are skipped: it cannot be ended, and would
    disturb them.

    Args:
        calls: Checks, each with a call that runs it.
        seconds: Time that one check may take.
        skips: Reasons by the names of checks that are not run.
    """
    hanging = ""
    for check, call in calls:
        name = name_of(check)
        reason = (skips or {}).get(name) or (hanging and f"not run, since {hanging} did not end")
        start = time.perf_counter()
        status: Status = "skipped"
        if not reason:
            status, reason, ended = _run(call, seconds)
            hanging = "" if ended else name
        spent = time.perf_counter() - start
        yield Outcome(
            check=name, claim=claim_of(check), status=status, reason=reason, seconds=round(spent, 3)
        )


def _run(call: Callable[[], None], seconds: float) -> tuple[Status, str, bool]:
    found: list[tuple[Status, str]] = []
    # A thread, because nothing else ends a wait for code that does not return.
    thread = threading.Thread(target=lambda: found.append(_judged(call)), daemon=True)
    with restored():
        thread.start()
        thread.join(seconds)
    if not found:
        return "failed", f"it did not end within {seconds:g} s; look for an endless loop", False
    return *found[0], True


def _judged(call: Callable[[], None]) -> tuple[Status, str]:
    try:
        call()
    except CheckSkipped as skipped:
        return "skipped", str(skipped)
    except CheckFailed as failed:
        return "failed", str(failed)
    except (
        BaseException
    ) as error:  # whatever a plugin raises, SystemExit and KeyboardInterrupt among it, is a failure
        return "failed", f"it raises {told(error)}"
    return "passed", ""
