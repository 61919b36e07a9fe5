"""``denas evaluate-proxy --from-run``: the options of the command become trainings of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from denas_core.agreement.evaluate import Request
    from denas_core.agreement.from_run import TableFromRun
    from denas_core.racing.searched_run import SearchedRun
    from denas_core.registry.registry import Registry


def open_run(
    path: Path,
    request: Request,
    registry: Registry,
    *,
    count: int,
    data: str | None,
    task: str | None,
    epochs: int | None,
    on_data: bool,
    device: str | None,
) -> tuple[TableFromRun, Request]:
    """Return the table whose networks will be trained, and the request with what the run decides.

    Args:
        path: The run.
        request: What the other options say.
        registry: The installed plugins.
        count: Number of networks to train.
        data: Data set to train on.
        task: Task to train for.
        epochs: Epochs of each training.
        on_data: Whether scores see samples of the data set, although those of the search may have seen noise.
        device: Where networks are trained and scored.

    Raises:
        ConfigError: see `read_searched_run`, `plan_trainings` and `TableFromRun`.
    """
    from denas_core.agreement.from_run import TableFromRun
    from denas_core.racing.run_data import make_training_request
    from denas_core.racing.run_trainings import plan_trainings

    run = read_run_with_options(path, registry, request.options)
    options = dict(request.options)
    asked = make_training_request(run, data=data, task=task, options=options, epochs=epochs, device=device)
    trainings = plan_trainings(run, asked, registry)
    source = TableFromRun.of(run, trainings, count, out=request.out)
    options.pop("task", None)
    request = dataclasses.replace(request, options=options)
    if on_data or run.config.get("data"):
        chosen = trainings.plan.task
        named = {"name": chosen.id, **chosen.options()}
        request = dataclasses.replace(request, data={"path": str(trainings.plan.data), "task": named})
    return source, source.complete(request)


def read_run_with_options(
    path: Path, registry: Registry, options: Mapping[str, Mapping[str, Any]]
) -> SearchedRun:
    """Return a run. Of its space, the user may only say whether it may read a pickle.

    Raises:
        ConfigError: ``--set`` has another option of the space.
    """
    from denas_core.racing.searched_run import read_searched_run

    of_space = dict(options.get("space", {}))
    # Whether a pickle may be read does not change the networks.
    allowed = {key: of_space.pop(key) for key in ("allow_pickle",) if key in of_space}
    if of_space:
        raise ConfigError(f"--set space.{next(iter(of_space))}: the space is that of run {str(path)!r}")
    return read_searched_run(path, registry, space_options=allowed)
