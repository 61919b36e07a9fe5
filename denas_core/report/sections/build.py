"""The build that made a run: its steps, what it decided and why, and its time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from denas_core.runs.builds import read_build
from denas_core.runs.trainings import mapping, number


def describe_build(run: Path) -> dict[str, Any] | None:
    """Return the build that made a run, as JSON can represent it; None if no build did, or nothing says so.

    Returns:
        ``state``; ``given`` and ``used``, seconds; ``data``, the name of the data; ``model``, the exported file, or
        None; ``plan``: each phase with ``name`` and the seconds ``planned``, ``given`` and ``used``; ``steps``: each
        with ``name`` and ``seconds``; ``decisions``: each with ``step``, ``what``, ``value`` and ``reason``;
        ``bounds`` of the exported file, each with ``bound``, ``verdict`` and ``measured``; ``missing``.
    """
    build = read_build(run)
    if not build:
        return None
    request, result = mapping(build.get("request")), mapping(build.get("result"))
    steps = mapping(build.get("steps"))
    measured = next((mapping(one) for name, one in steps.items() if name.startswith("measure ")), {})
    exported = next((mapping(one) for name, one in steps.items() if name.startswith("export ")), {})
    # After the measurement, only this report is left.
    is_finished = build.get("state") == "finished" or bool(measured)
    return {
        "state": "finished" if is_finished else "not finished",
        "given": number(request.get("seconds")),
        "used": number(build.get("seconds")),
        "data": Path(str(request.get("data", ""))).name,
        "model": exported.get("path") or result.get("model"),
        "measured": measured.get("what"),
        "plan": [_phase(one) for one in _list(build.get("plan")) if isinstance(one, dict)],
        "steps": [
            {"name": str(name), "seconds": number(mapping(step).get("seconds"))}
            for name, step in steps.items()
        ],
        "decisions": [_decision(one) for one in _list(build.get("decisions")) if isinstance(one, dict)],
        "bounds": [dict(one) for one in _list(measured.get("bounds")) if _is_bound(one)],
        "missing": [] if is_finished else ["The build has not ended; the same command goes on with it."],
    }


def _phase(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": str(one.get("step", "")),
        **{name: number(one.get(name)) for name in ("planned", "given", "used")},
    }


def _decision(one: dict[str, Any]) -> dict[str, str]:
    value = one.get("value")
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return {
        "step": str(one.get("step", "")),
        "what": str(one.get("what", "")),
        "value": text,
        "reason": str(one.get("reason", "")),
    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_bound(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("bound"), str) and isinstance(one.get("verdict"), str)
