"""Arbitrary objects as scores, and every plugin of the hostile zoo in a search: what comes of each."""

from __future__ import annotations

import contextlib
import dataclasses
import decimal
import fractions
import io
import math
import os
import random
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import torch

from benchmarks.faults.toy import Counts
from denas_core.contracts.problem import Problem
from denas_core.contracts.score import ProxyScore
from denas_core.errors import DenasError
from denas_core.evaluation.evaluator import Evaluator
from denas_core.registry.registry import Registry
from denas_core.runs.store import Store
from denas_core.testing.samples.knobs import Conditional
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Trial
from tests.faults.plugins.declaring import CREATED, DECLARED, declaring
from tests.faults.plugins.good import GOOD
from tests.faults.plugins.loading import BROKEN, ODD_METADATA
from tests.faults.plugins.making import installed
from tests.faults.plugins.others import PROBES, SPACES, STRATEGIES, failing
from tests.faults.plugins.scores import ACTS, CALM, hostile_score
from tests.faults.plugins.trying import bits, changed, faults_of_score, process, score_beside, search, stirred

LIMIT = 320
"""Characters of the longest reason."""

DUNDERS = (
    *("__float__", "__index__", "__int__", "__repr__", "__str__", "__bool__", "__eq__", "__hash__", "__lt__"),
    *(
        "__abs__",
        "__add__",
        "__radd__",
        "__neg__",
        "__len__",
        "__iter__",
        "__getattr__",
        "__format__",
        "__class__",
    ),
    *("__reduce__", "__array__", "__torch_function__", "__del__", "__complex__", "__round__", "__trunc__"),
)
BASES = (object, float, int, str, list, dict, Exception, fractions.Fraction, numpy.float64, complex, bytes)


def arbitrary_objects(count: int, seed: int) -> Iterator[Any]:
    """Yield objects that a score might return: numbers of all types, and objects whose methods lie, raise or exit."""
    rng = random.Random(seed)
    makers = (_number, _number, _numpy, _plain, _container, _liar, _liar, _liar)
    for _ in range(count):
        yield rng.choice(makers)(rng)


def _number(rng: random.Random) -> Any:
    exponent = rng.randint(-400, 400)
    plain = rng.uniform(-1, 1) * 10.0 ** max(min(exponent, 308), -330)
    return rng.choice((
        lambda: plain,
        lambda: int.from_bytes(rng.randbytes(8), "little", signed=True),
        lambda: rng.choice((-1, 1)) * 10**abs(exponent),
        lambda: 1 << rng.randint(0, 5000),
        lambda: rng.choice((math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, sys.float_info.max, 1e308, -1e308)),
        lambda: fractions.Fraction(rng.randint(-(10**40), 10**40), rng.randint(1, 10**40)),
        lambda: fractions.Fraction(10**400, 3),
        lambda: decimal.Decimal(rng.choice(("1", "NaN", "sNaN", "-Infinity", "1e999", "0.1"))),
        lambda: complex(plain, rng.random()),
        lambda: rng.random() < 0.5,
    ))()  # fmt: skip


def _numpy(rng: random.Random) -> Any:
    kind = rng.choice(("float16", "float32", "float64", "longdouble", "int8", "uint64", "complex64", "bool", "M8[s]",
                       "S3", "U3", "O"))  # fmt: skip
    with numpy.errstate(all="ignore"):
        array = numpy.frombuffer(rng.randbytes(64), dtype="u1").astype(kind if kind != "M8[s]" else "i8")
        array = array.astype(kind) if kind == "M8[s]" else array
    tensor = torch.tensor([rng.random(), math.nan])
    return rng.choice(
        (array[0], array, array[:1], array[:0], tensor, tensor[0], tensor[1], tensor.sum().bool())
    )


def _plain(rng: random.Random) -> Any:
    text = "".join(
        chr(rng.choice((rng.randint(0, 31), rng.randint(32, 126), rng.randint(127, 0x2FFFF))))
        for _ in "x" * 9
    )
    return rng.choice((
        None, ..., NotImplemented, text, text * 10_000, text.encode("utf-8", "surrogatepass"), object, object(), float,
        len, rng, lambda: 1.0, (x for x in ()), sys, ValueError(text), range(3), memoryview(b"1"), slice(1), "1.0",
        "nan",
    ))  # fmt: skip


def _container(rng: random.Random) -> Any:
    found: Any = [rng.random()]
    for _ in range(rng.choice((1, 3, 5000))):
        found = rng.choice((lambda x: [x], lambda x: (x,), lambda x: {"x": x}))(found)
    itself: dict[str, Any] = {}
    itself["itself"] = itself
    return rng.choice((found, itself, {1.0}, frozenset(), [1.0], (1.0,), {"score": 1.0}))


def _liar(rng: random.Random) -> Any:
    base = rng.choice(BASES)
    methods = {name: _method(rng) for name in rng.sample(DUNDERS, rng.randint(1, 8))}
    if "__class__" in methods:
        methods["__class__"] = property(lambda self: rng.choice((float, int, bool, str)))
    with contextlib.suppress(Exception):
        made = type("Liar" * rng.choice((1, 1, 1000)), (base,), methods)
        arguments = {Exception: (), object: (), fractions.Fraction: (1, 3)}.get(
            base, ("1",) if base is str else ()
        )
        return made(*arguments)
    return base


def _method(rng: random.Random) -> Callable[..., Any]:
    value = rng.choice((1.0, 1, "1", None, math.nan, math.inf, True, "x" * 100_000, "\x1b[2J\r\n", 10**400))
    errors = (
        ValueError,
        SystemExit,
        GeneratorExit,
        StopIteration,
        MemoryError,
        RecursionError,
        BaseException,
    )
    error = rng.choice(errors)

    def answer(self: Any, *arguments: Any, **named: Any) -> Any:
        return value

    def fail(self: Any, *arguments: Any, **named: Any) -> Any:
        raise error("\x1b[31m\n" * 1000)

    def recurse(self: Any, *arguments: Any, **named: Any) -> Any:
        return recurse(self)

    return rng.choice((answer, fail, fail, recurse))


@dataclasses.dataclass(kw_only=True)
class Returning(ProxyScore):
    """A score that returns the next object."""

    value: Any = None

    def measure(self, candidate: Any) -> Any:
        """Return it."""
        return held[0]


held: list[Any] = [None]


def run(count: int, *, seed: int = 0) -> Counts:
    """Return each of `count` objects as a score: it is stored to the bit, or fails in one printable line."""
    # So large that hardly an architecture is drawn twice; a store takes each once.
    space = Conditional(deepest=16)
    archs: dict[str, Architecture] = {}
    rng = random.Random(seed)
    evaluator = Evaluator(Problem(space), {"it": Returning()})
    failures: list[str] = []
    trials: list[Trial] = []
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        store = Store.create(Path(folder) / "study.db", {})
        store._connection.execute("PRAGMA synchronous = OFF")
        for index, value in enumerate(arbitrary_objects(count, seed)):
            held[0] = value
            while (arch := space.sample(rng)).key in archs:
                continue
            archs[arch.key] = arch
            try:
                evaluation = evaluator(arch)
            except BaseException as error:
                failures.append(
                    f"object {index} ({type(value).__name__:.40}): {type(error).__name__} escaped"
                )
                continue
            trials.append(Trial(index=len(trials), generation=0, arch=arch, evaluation=evaluation))
            store.append(trials[-1], active_seconds=0.0)
            failures += [f"object {index}: {fault}" for fault in _faults(trials[-1])]
        held[0] = None
        for trial, read in zip(trials, store.trials(), strict=True):
            same = [bits(v) for v in read.evaluation.components.values()] == [
                bits(v) for v in trial.evaluation.components.values()
            ]
            if not same or read.evaluation.reason != trial.evaluation.reason:
                failures.append(f"trial {trial.index} is not read back as it was written")
        store.close()
    scored = sum(trial.is_scored for trial in trials)
    return {"objects": count, "stored": scored, "refused": len(trials) - scored, "failures": failures}


def _faults(trial: Trial) -> list[str]:
    result = trial.evaluation
    if result.state == "scored":
        value = result.components["it"]
        return [] if type(value) is float and math.isfinite(value) else [f"stored as {type(value).__name__}"]
    if result.state != "failed" or not result.reason.startswith("it: ") or result.components:
        return [f"ends as {result.state}: {result.reason[:80]!r}"]
    if not result.reason.isprintable() or len(result.reason) > LIMIT:
        return [f"its reason is no printable line of at most {LIMIT} characters: {result.reason[:80]!r}"]
    return []


def run_zoo() -> Counts:
    """Search with every plugin of the zoo installed, and with each that acts in turn."""
    declared = {**DECLARED, **CREATED}
    others = {**SPACES, **STRATEGIES, **PROBES}
    failures: list[str] = []
    before_all = Path.cwd()
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stderr(io.TextIOWrapper(io.BytesIO())):
        folder = Path(name)
        (folder / "site").mkdir()
        (folder / "desk").mkdir()
        os.chdir(folder / "desk")
        distributions = [GOOD, CALM, *ODD_METADATA, *(broken.distribution for broken in BROKEN)]
        distributions += [*map(declaring, declared), *map(hostile_score, ACTS), *map(failing, others)]
        try:
            with installed(folder / "site", distributions):
                registry = Registry.discover()
                failures += _faults_of_rows(registry)
                calm = {t.arch.key: t for t in score_beside(folder / "calm", registry, "calm", budget=60)}
                for plugin in ACTS:
                    failures += _tried(plugin, lambda: _score(folder, registry, plugin, calm))  # noqa: B023
                for plugin, (_, pattern) in others.items():
                    failures += _tried(plugin, lambda: _other(folder, registry, plugin, pattern))  # noqa: B023
                again = score_beside(folder / "again", registry, "calm", budget=60)
                if [t.evaluation.components for t in again] != [
                    t.evaluation.components for t in calm.values()
                ]:
                    failures.append("a search after all of them is not the one before them")
        finally:
            os.chdir(before_all)
    return {
        "distributions": len(distributions),
        "searches": len(ACTS) + len(others) + 2,
        "broken ones told": len(BROKEN),
        "failures": failures,
    }


def _tried(plugin: str, attempt: Callable[[], list[str]]) -> list[str]:
    before = stirred()
    try:
        faults = attempt()
    except BaseException as error:
        faults = [f"{type(error).__name__} escaped: {str(error)[:80]}"]
    return [f"{plugin}: {fault}" for fault in dict.fromkeys([*faults, *changed(before, process())])]


def _faults_of_rows(registry: Registry) -> list[str]:
    rows = {(plugin.name, plugin.distribution): plugin for plugin in registry.plugins}
    faults = []
    for broken in BROKEN:
        key = broken.row or broken.distribution.name, f"denas-zoo-{broken.distribution.name}"
        plugin = rows.get(key)
        if plugin is None or plugin.status != broken.status or not re.search(broken.reason, plugin.reason):
            faults.append(f"{broken.distribution.name}: its row is {plugin}")
    return faults


def _score(folder: Path, registry: Registry, plugin: str, calm: dict[str, Trial]) -> list[str]:
    return faults_of_score(score_beside(folder / f"run-{plugin}", registry, plugin), calm, plugin)


def _other(folder: Path, registry: Registry, plugin: str, pattern: str | None) -> list[str]:
    kind = "space" if plugin in SPACES else "strategy" if plugin in STRATEGIES else "probe"
    limits = {"constraints": ["latency_ms<=5"]} if kind == "probe" else {}
    try:
        trials = search(folder / f"run-{plugin}", registry, **{kind: f"{plugin}/it"}, **limits)
        told = "; ".join(sorted({trial.evaluation.reason for trial in trials} - {""}))
    except DenasError as error:
        told = str(error)
    is_told = told == "" if pattern is None else re.search(pattern, told)
    return [] if is_told and told.isprintable() else [f"it says {told[:200]!r}"]
