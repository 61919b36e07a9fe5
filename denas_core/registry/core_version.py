"""Which versions of the core a plugin needs, as its distribution declares."""

from __future__ import annotations

import re
from collections.abc import Sequence

CORE = "denas-core"

_REQUIREMENT = re.compile(
    r"denas[-_.]core\s*(?:\[[^\]]*\])?\s*\(?\s*((?:[<>=!~][^;)]*?)?)\s*\)?\s*(;.*)?", re.IGNORECASE
)
_BOUND = re.compile(r"(~=|==|!=|>=|<=|>|<)\s*(\d+(?:\.\d+)*)(\.\*)?")


def core_requirement(requirements: Sequence[str]) -> str:
    """Return the versions of the core that a distribution needs, such as ``>=0.1,<0.2``; empty if it names none.

    Args:
        requirements: Its requirements, as its metadata list them. Those of an extra do not count.
    """
    for text in requirements:
        found = _REQUIREMENT.fullmatch(text.strip())
        if found and "extra" not in (found[2] or ""):
            return found[1].replace(" ", "")
    return ""


def accepts(needed: str, version: str) -> bool:
    """Return whether a version is one of those that are needed. A bound of an unknown form accepts every version.

    Only the numbers of versions are compared: a development version counts as the version that it becomes.
    """
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    if numbers is None:
        return True
    return all(_holds(bound, _release(numbers[0])) for bound in needed.split(",") if bound)


def _holds(bound: str, version: list[int]) -> bool:
    found = _BOUND.fullmatch(bound)
    if found is None:
        return True
    sign, wanted, is_prefix = found[1], _release(found[2]), bool(found[3])
    if sign == "~=":
        return version >= wanted and version[: len(wanted) - 1] == wanted[:-1]
    if is_prefix:
        return (version[: len(wanted)] == wanted) == (sign == "==")
    length = max(len(version), len(wanted))
    ours, theirs = (one + [0] * (length - len(one)) for one in (version, wanted))
    return {
        "==": ours == theirs,
        "!=": ours != theirs,
        ">=": ours >= theirs,
        "<=": ours <= theirs,
        ">": ours > theirs,
        "<": ours < theirs,
    }[sign]


def _release(text: str) -> list[int]:
    return [int(number) for number in text.split(".")]
