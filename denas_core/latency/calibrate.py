"""Build the latency model of a space and a probe on this machine, or read it from the cache."""

from __future__ import annotations

import copy
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable

from denas_core.contracts.probe import LatencyProbe, TimedProbe
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, DenasError, NoResult
from denas_core.seeding import digest
from denas_core.system.cache import read_cached, write_cached
from denas_core.system.machine import environment, latency_fingerprint
from denas_core.text import describe_error, one_line
from denas_core.values.architecture import Architecture
from denas_core.values.latency import Latency, check_latency

from .choice import candidates, spread_out
from .fit import FEWEST_NETWORKS, fit_weights, left_out_error, terms_of, weights_by_term
from .model import LatencyModel, Target, space_fingerprint
from .operators import Operator
from .pieces import PieceReader
from .table import OperatorTable
from .thin import measures_whole, thin_piece, thin_space
from .timers import probe_times

SECONDS = 60.0
NETWORKS = 20
READING_SHARE = 1 / 8
"""The largest share of the time that reading operators takes, once there are enough networks to measure."""

OPERATORS_SHARE = 1 / 4
"""The largest share of the time that timing operators takes; those that are left get an estimate."""

Measure = Callable[[Architecture], Latency]
TimeOperators = Callable[[list[Operator], float], dict[Operator, float]]


def calibrated_model(
    space: SearchSpace,
    probe: LatencyProbe,
    *,
    seed: int,
    device: str,
    threads: int,
    seconds: float = SECONDS,
    on_progress: Callable[[int, int], None] | None = None,
    fresh: bool = False,
) -> LatencyModel:
    """Return the latency model of a space and a probe on this machine.

    A model of the same space, probe, machine and settings in the cache is returned at once. Otherwise about 20 networks
    of the space are measured with the probe, fewer if `seconds` do not suffice, and the model is written to the cache.

    Args:
        space: The space.
        probe: Measures the networks.
        seed: Chooses the networks and their weights.
        device: ``cpu`` or ``cuda``.
        threads: Number of threads of one call, if the probe has no option for it.
        seconds: How long this may take. At least four networks are measured, however long they take.
        on_progress: Is called with the number of networks that are measured, and the number that will be at most.
        fresh: Measure again even if the cache has a model.

    Raises:
        NoResult: too few networks could be measured. The text has the reason of the first failure.
        ConfigError: no network could be measured, for a reason that the user can remove.
    """
    target = target_of(probe, device=device, threads=threads)
    name = model_name(space, target)
    if not fresh and (model := kept_model(space, name)) is not None:
        return model
    is_whole = measures_whole(space)
    model = build_model(
        space,
        target,
        measure=network_measure(
            space, probe, seed=seed, device=device, seconds=seconds / NETWORKS, is_whole=is_whole
        ),
        time_operators=lambda operators, limit: probe_times(
            operators, target, probe, seconds=limit, fresh=fresh
        ),
        seed=seed,
        seconds=seconds,
        on_progress=on_progress,
        is_whole=is_whole,
    )
    write_cached(name, model.as_dict())
    return model


def target_of(probe: LatencyProbe, *, device: str, threads: int) -> Target:
    """Return what latencies of a probe on this machine depend on."""
    options = probe.options()
    threads = int(options.get("threads", threads))
    batch_size = int(options.get("batch_size", 1))
    named = {"name": probe.id, **options}
    return Target(
        probe=named,
        batch_size=batch_size,
        device=device,
        threads=threads,
        fingerprint=latency_fingerprint(device=device, threads=threads, probe=named),
        machine=environment(device),
    )


def model_name(space: SearchSpace, target: Target) -> str:
    """Return the name of a model in the cache."""
    return f"latency/model-{digest([space_fingerprint(space), space.options(), target.fingerprint], size=8)}.json"


def kept_model(space: SearchSpace, name: str) -> LatencyModel | None:
    """Return the model in the cache; None if there is none, or it is damaged."""
    document = read_cached(name)
    try:
        return None if document is None else LatencyModel.from_dict(document, space, origin=name)
    except ConfigError:
        return None


def build_model(
    space: SearchSpace,
    target: Target,
    *,
    measure: Measure,
    time_operators: TimeOperators,
    seed: int,
    seconds: float = SECONDS,
    networks: int = NETWORKS,
    on_progress: Callable[[int, int], None] | None = None,
    is_whole: bool = True,
) -> LatencyModel:
    """Return a model that is fitted to networks of the space.

    Args:
        space: The space.
        target: What is measured.
        measure: Measures a network.
        time_operators: Times operators within a number of seconds; it may leave some out.
        seed: Chooses the networks.
        seconds: How long this may take.
        networks: Number of networks to measure at most.
        on_progress: See `calibrated_model`.
        is_whole: Whether whole networks are measured, or else their pieces, see `thin_piece`.

    Raises:
        NoResult, ConfigError: see `calibrated_model`.
        Infeasible: networks are too large for memory, and have no pieces.
    """
    start = time.monotonic()
    reader = PieceReader(space, batch_size=target.batch_size)
    counts: dict[Architecture, Counter[Operator]] = {}
    for arch in candidates(space, seed=seed):
        if len(counts) > networks and time.monotonic() - start > seconds * READING_SHARE:
            break
        counts[arch] = reader.of_network(arch) if is_whole else reader.of_piece(thin_piece(space, arch))
    known = time_operators(_distinct(counts.values()), seconds * OPERATORS_SHARE)
    if not known:
        raise NoResult(
            f"no operator of {space.id!r} can be timed on this machine, so there is no latency model"
        )
    table = OperatorTable(known)
    terms = {arch: terms_of(counted, table) for arch, counted in counts.items()}
    chosen = spread_out(list(terms), networks, size=lambda arch: float(terms[arch][:-1].sum()))
    measured = _measured(chosen, measure, until=start + seconds, on_progress=on_progress)
    used = [terms[arch] for arch in measured]
    times = [latency.median for latency in measured.values()]
    return LatencyModel(
        space,
        target=target,
        table=table,
        weights=weights_by_term(fit_weights(used, times)),
        error=left_out_error(used, times),
    )


def network_measure(
    space: SearchSpace,
    probe: LatencyProbe,
    *,
    seed: int,
    device: str,
    seconds: float = math.inf,
    is_whole: bool = True,
) -> Measure:
    """Return a function that measures a network, in alternation with what the probe compares with.

    Args:
        space: The space.
        probe: Measures the networks.
        seed: Chooses the weights and the batch.
        device: ``cpu`` or ``cuda``.
        seconds: How long one measurement may take, if the probe has a limit for it.
        is_whole: Whether the whole network is measured, or else its piece, see `thin_piece`.
    """
    if isinstance(probe, TimedProbe):
        # The caller's probe keeps its own limit. A model needs many networks more than it needs narrow intervals.
        probe = copy.copy(probe)
        probe.seconds = min(probe.seconds, seconds)
    reference: Callable[[], object] | None = None

    def measure(arch: Architecture) -> Latency:
        nonlocal reference
        if reference is None:
            reference = probe.prepare_reference(space, seed=seed, device=device)
        built = space if is_whole else thin_space(space, thin_piece(space, arch))
        call = probe.prepare(built, arch, seed=seed, device=device)
        return check_latency(probe.time(call, reference))

    return measure


def _distinct(counts: Iterable[Counter[Operator]]) -> list[Operator]:
    found = set().union(*counts)
    return sorted(found, key=lambda operator: (operator.name, operator.arguments))


def _measured(
    chosen: list[Architecture],
    measure: Measure,
    *,
    until: float,
    on_progress: Callable[[int, int], None] | None,
) -> dict[Architecture, Latency]:
    found: dict[Architecture, Latency] = {}
    failure: Exception | None = None
    begin = time.monotonic()
    for index, arch in enumerate(chosen):
        now = time.monotonic()
        each = (now - begin) / max(index, 1)
        if len(found) >= FEWEST_NETWORKS and now + each > until:
            break
        try:
            found[arch] = measure(arch)
        # A plugin may raise anything; other networks may work.
        except Exception as error:
            failure = failure or error
            if not found and index >= FEWEST_NETWORKS:
                break
        if on_progress is not None:
            on_progress(len(found), len(chosen))
    # A space of few networks is measured completely.
    if len(found) >= min(FEWEST_NETWORKS, len(chosen)) and len(found) >= 2:
        return found
    if isinstance(failure, DenasError) and not found:
        raise failure
    why = (
        ""
        if failure is None
        else f": {one_line(failure) if isinstance(failure, DenasError) else describe_error(failure)}"
    )
    raise NoResult(
        f"a latency model needs {FEWEST_NETWORKS} measured networks, and {len(found)} could be measured{why}"
    )
