"""From a checkpoint to a smaller one: search, inheritance, fine-tuning where there are data, and export."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from denas_core.contracts.exporter import Exporter
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, DenasError, Interrupted, StoreDamaged
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.launch import resume_search, run_search
from denas_core.models.export import export_model
from denas_core.models.export_forms import form_id
from denas_core.models.searched import with_search
from denas_core.models.trained import load_model
from denas_core.registry.registry import Registry
from denas_core.runs.files import is_run
from denas_core.setup.config import differences, make_config
from denas_core.setup.setup import Setup
from denas_core.setup.tasks import choose_task
from denas_core.system.atomic import storage_errors, write_json
from denas_core.system.extras import require_extra
from denas_core.system.lock import LOCK_FILES, RunLock
from denas_core.training.origin import read_origin, untrained_model
from denas_core.training.plan import SETTINGS, Plan
from denas_core.training.result import MODEL
from denas_core.training.session import train
from denas_core.training.settings import make_settings

from .ending import PARTIAL, move_files
from .observer import BuildObserver
from .shrink_request import ShrinkRequest
from .shrinking_space import merged, open_shrinking_space
from .vocabulary import advice, remove_copy, trim, whole

FILE, SCHEMA = "shrink.json", "denas.shrink/1"
SEARCH, TEACHER, TRAINING = "search", "teacher", "training"
STRATEGY = {"name": "builtin/nsga2", "first": 10, "children": 10}
"""Small generations, because a candidate takes about a second. The second one begins with the largest network, which is
the best one if it keeps the bounds."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Prepared:
    """What has been checked before work begins."""

    registry: Registry
    space: SearchSpace
    exporter: Exporter
    document: dict[str, Any]
    device: str
    settings: dict[str, dict[str, Any]]


def shrink(request: ShrinkRequest, registry: Registry, *, observer: BuildObserver) -> dict[str, Any]:
    """Make a smaller network from a checkpoint, or go on where this was stopped, and return what was made.

    Without data, the network has the inherited weights. With data, the checkpoint is fine-tuned first, and teaches the
    smaller network.

    Raises:
        ConfigError: something does not fit; nothing is written.
        Infeasible, NoResult: no network keeps the bounds.
        Interrupted: a signal stopped it; the same call goes on.
    """
    require_extra("train", "transformers", "accelerate", "safetensors", purpose="a smaller network")
    if (done := _read_record(request)) is not None:
        return done
    if request.data is not None and not request.data.exists():
        raise ConfigError(f"there is no data set at {str(request.data)!r}")
    with _folder(request):
        work = whole(request)
        if request.vocabulary is not None:
            about = f"keep {request.vocabulary} tokens of the vocabulary"
            observer.step_begun("vocabulary", about, seconds=None)
            work = trim(request, request.vocabulary, registry)
            observer.noticed(work.describe())
        observer.step_begun("check", f"read {work.request.checkpoint}", seconds=None)
        prepared = _prepare(work.request, registry)
        if said := advice(work.request, prepared.space):
            observer.noticed(said)
        result = {**_steps(work.request, prepared, observer), **work.facts}
        write_json(request.out / FILE, {"schema": SCHEMA, "request": request.as_dict(), "result": result})
    return result


@contextlib.contextmanager
def _folder(request: ShrinkRequest) -> Iterator[None]:
    """Make the folder of the result, and lock it; what is refused before the search leaves nothing there."""
    out = request.out
    is_new, is_refused = not out.exists(), False
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    lock = RunLock(out)
    try:
        write_json(out / FILE, {"schema": SCHEMA, "request": request.as_dict(), "result": None})
        yield
    except Interrupted as error:
        raise Interrupted("stopped; the same command goes on", signal_number=error.signal_number) from error
    except DenasError:
        is_refused = not (out / SEARCH).exists()
        raise
    finally:
        lock.release()
        if is_refused:
            remove_copy(out)
            for name in (FILE, *LOCK_FILES):
                (out / name).unlink(missing_ok=True)
            if is_new:
                with contextlib.suppress(OSError):  # something else lies there
                    out.rmdir()


def _read_record(request: ShrinkRequest) -> dict[str, Any] | None:
    """Return the result in the folder, if this request has ended there.

    Raises:
        ConfigError: the folder holds something else.
    """
    file = request.out / FILE
    with storage_errors(request.out):
        if not file.is_file():
            if request.out.exists() and (not request.out.is_dir() or any(request.out.iterdir())):
                raise ConfigError(f"{str(request.out)!r} is not empty; name another folder with --out")
            return None
        text = file.read_text(encoding="utf-8")
    try:
        document = json.loads(text)
        before, result = document["request"], document["result"]
    except (ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(f"{str(file)!r} is damaged: {error!r}; name another folder with --out") from error
    if changed := differences(before, request.as_dict()):
        raise ConfigError(
            f"{str(request.out)!r} holds another result ({'; '.join(changed)}); name another folder with --out"
        )
    return None if result is None else dict(result)


def _prepare(request: ShrinkRequest, registry: Registry) -> _Prepared:
    """Check everything that can be checked before work begins."""
    space, settings = open_shrinking_space(request, registry)
    exporter = registry.create("exporter", form_id(registry, request.form), request.options("export"))
    score = merged(settings, "score", request.options("score"))
    document = {
        "space": {"name": space.id, **space.options()},
        "score": score,
        "strategy": STRATEGY,
        "constraints": list(request.constraints),
        "budget": int(request.budget) if request.budget.isdecimal() else request.budget,
        "seed": request.seed,
        "device": request.device,
        "out": str(request.out / SEARCH),
    }
    setup = Setup.from_config(make_config(document, origin="the command line"), registry)
    setup.check_feasible()
    if request.data is not None:
        _task(request, registry, space)
    # All weights are read here, so that a damaged checkpoint is refused before the search.
    _inherit(space)
    return _Prepared(registry, space, exporter, document, setup.device, settings)


def _inherit(space: SearchSpace) -> None:
    import torch

    arch = space.smallest() or space.full()
    if arch is None:
        return
    with plugin_errors(f"space {space.id!r}", guard=False), torch.device("meta"):
        structure = space.build(arch)
    with plugin_errors(f"space {space.id!r}", guard=False):
        space.load(structure, arch, seed=0, weights="inherited")


def _task(request: ShrinkRequest, registry: Registry, space: SearchSpace) -> Any:
    return choose_task(registry, space, request.task, request.options("task"), data=request.data)


def _steps(request: ShrinkRequest, prepared: _Prepared, observer: BuildObserver) -> dict[str, Any]:
    registry, run = prepared.registry, request.out / SEARCH
    observer.step_begun("search", f"search networks with {' and '.join(request.constraints)}", seconds=None)
    if is_run(run):
        found = resume_search(run, dict, registry=registry, observers=observer.of_search())
    else:
        config = make_config(prepared.document, origin="the command line")
        found = run_search(config, registry, observers=observer.of_search())
    for notice in found.notices:
        observer.noticed(notice)
    best = found.describe(found.best)
    if request.data is None:
        observer.step_begun("inherit", "inherit weights of the checkpoint", seconds=None)
        model = untrained_model(run, registry, streams=prepared.exporter.streams)
        metrics: Mapping[str, float] = {}
    else:
        model, metrics = _fine_tune(request, prepared, observer)
    about = f"export to {prepared.exporter.form}, and compare its outputs with those of the network"
    observer.step_begun("export", about, seconds=None)
    partial = request.out / PARTIAL
    done = export_model(prepared.exporter, with_search(model, run), partial, replace=True)
    artefact = request.out / done.path.relative_to(partial)
    move_files(partial, request.out)
    full = prepared.space.full()
    sizes = {} if full is None else prepared.space.cost(full)
    return {
        "model": str(artefact),
        "form": prepared.exporter.id,
        "arch": model.arch.as_dict(),
        "key": model.arch.key,
        "params": best["metrics"].get("params"),
        "params_of_checkpoint": sizes.get("params"),
        "weights": "inherited" if request.data is None else "fine-tuned",
        "metrics": dict(metrics),
        "difference": done.difference,
        "usage": prepared.exporter.usage(model, artefact),
    }


def _fine_tune(request: ShrinkRequest, prepared: _Prepared, observer: BuildObserver) -> Any:
    """Fine-tune the checkpoint, and then the smaller network with the checkpoint as its teacher."""
    origin = read_origin(request.out / SEARCH, prepared.registry, options={})
    full = origin.space.full()
    task = _task(request, prepared.registry, origin.space)
    given = {"seed": request.seed, **merged(prepared.settings, "training", request.options("training"))}
    settings = make_settings(task.id, task.recipe, given)
    assert request.data is not None
    plan = Plan(
        space=origin.space,
        arch=origin.best(),
        task=task,
        settings=settings,
        data=request.data,
        device=prepared.device,
        source=str(origin.path),
    )
    teacher: Path | None = None
    if full is not None and settings.distill_weight > 0:
        observer.step_begun(
            "teacher", "fine-tune the checkpoint, which then teaches the network", seconds=None
        )
        _train(dataclasses.replace(plan, arch=full), request.out / TEACHER, prepared, observer)
        teacher = request.out / TEACHER / MODEL
    observer.step_begun("training", f"fine-tune the network for {settings.epochs} epochs", seconds=None)
    result = _train(dataclasses.replace(plan, teacher=teacher), request.out / TRAINING, prepared, observer)
    return load_model(request.out / TRAINING / MODEL, prepared.registry), result.progress.best


def _train(plan: Plan, directory: Path, prepared: _Prepared, observer: BuildObserver) -> Any:
    return train(
        plan,
        directory,
        registry=prepared.registry,
        resume=(directory / SETTINGS).is_file(),
        observers=observer.of_training(plan),
        notify=observer.noticed,
    )
