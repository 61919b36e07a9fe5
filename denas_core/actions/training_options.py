"""From what the user says of a training, on the command line or in Python, to its plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace
    from denas_core.registry.registry import Registry
    from denas_core.setup.training_file import TrainingFile
    from denas_core.training.origin import Origin
    from denas_core.training.plan import Plan
    from denas_core.values.architecture import Architecture

DEVICES = ("auto", "cpu", "cuda")


@dataclasses.dataclass(kw_only=True)
class GivenOptions:
    """What the user says of a training, over what a file says; None for what was not given."""

    file: TrainingFile
    data: Path | None = None
    arch: str | None = None
    task: str | None = None
    device: str | None = None
    teacher: Path | None = None
    flags: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    settings: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Take from the file what the user does not say."""
        file = self.file
        self.data = self.data or (None if file.data is None else Path(file.data).expanduser())
        self.device = self.device or file.device
        self.teacher = self.teacher or (None if file.teacher is None else Path(file.teacher).expanduser())

    def options(self) -> dict[str, dict[str, Any]]:
        """Return what the file, ``--set`` and the flags say, by ``training``, ``task`` and ``space``."""
        from denas_core.setup.config import apply_settings

        # Options of the file's task fit no other one.
        is_task_of_file = self.file.task is not None and self.task in _names_of(self.file.task.name)
        parts: dict[str, dict[str, Any]] = {
            "training": dict(self.file.training),
            "task": self.file.task.options if self.file.task and is_task_of_file else {},
            "space": {},
        }
        for setting in self.settings:
            key = setting.partition("=")[0].strip()
            if key.partition(".")[0] not in parts or "." not in key:
                raise ConfigError(
                    f"--set {setting!r}: a training has keys of training and task, such as training.schedule"
                    f"{did_you_mean(f'training.{key}', _setting_names())}"
                )
        parts = apply_settings(parts, self.settings)
        for part, flags in self.flags.items():
            parts[part] |= {key: value for key, value in flags.items() if value is not None}
        return parts


def _names_of(task: str) -> tuple[str | None, ...]:
    """Return what ``--task`` may be for it to be `task`: nothing, its id or its bare name."""
    return None, task, task.partition("/")[2]


def plan_of(file: TrainingFile, registry: Registry) -> Plan:
    """Return the plan of the training that a file describes.

    Raises:
        ConfigError: something is missing or does not fit; its data are not read.
    """
    return new_plan(None, GivenOptions(file=file), registry, out=Path())


def new_plan(run: str | None, given: GivenOptions, registry: Registry, *, out: Path | None) -> Plan:
    """Return the plan of a new training.

    Args:
        run: The run or the space that the user names; None for the space of the file.
        given: What the user says of it.
        registry: The installed plugins.
        out: The directory that the user names.

    Raises:
        ConfigError: something is missing or does not fit; the data are not read.
    """
    from denas_core.setup.tasks import choose_task
    from denas_core.training.origin import read_origin
    from denas_core.training.plan import Plan
    from denas_core.training.settings import make_settings

    parts, file = given.options(), given.file
    names_space = run is None
    if run is None:
        if file.space is None:
            raise ConfigError("nothing to train is named; name a run or a space, or a --config with a space")
        run, parts["space"] = file.space.name, {**file.space.options, **parts["space"]}
        given = dataclasses.replace(given, arch=given.arch or file.arch)
    if names_space or (not Path(run).is_dir() and registry.has("space", run)):
        missing = [name for name, value in (("--arch", given.arch), ("--out", out)) if value is None]
        if missing:
            raise ConfigError(
                f"{run!r} is a space, not a run: a training of one also needs {' and '.join(missing)}"
            )
    if not names_space and (Path(run).is_dir() or out is None or given.arch is None):
        # Whether a pickle may be read does not change the networks.
        allowed = {key: parts["space"].pop(key) for key in ("allow_pickle",) if key in parts["space"]}
        origin = read_origin(Path(run), registry, options=allowed)
        if parts["space"]:
            raise ConfigError(
                f"--set changes options of training and task only: the space is that of run {run!r}"
            )
        space, seed, device = origin.space, origin.seed, origin.device
        found = origin.finalist(given.arch) if given.arch else origin.best()
        architecture = found or _other_architecture(origin, given.arch)
    else:
        origin_of_options = "the command line" if not names_space else "the file of the training"
        space = registry.create("space", run, parts["space"], origin=origin_of_options)
        seed, device, architecture = 0, "auto", _architecture(space, given.arch)
    if given.data is None:
        raise ConfigError("no data set is named; name one with --data")
    task = choose_task(
        registry,
        space,
        given.task or (file.task.name if file.task else None),
        parts["task"],
        data=given.data,
    )
    return Plan(
        space=space,
        arch=architecture,
        task=task,
        settings=make_settings(task.id, task.recipe, {"seed": seed, **parts["training"]}),
        data=given.data.absolute(),
        device=device_of(given.device or device),
        teacher=_teacher(given.teacher),
        source=run,
    )


def resumed_plan(directory: Path, given: GivenOptions, registry: Registry) -> Plan:
    """Return the plan of the training in a directory, changed by the options.

    Raises:
        ConfigError: there is no training, or an option is wrong.
    """
    from denas_core.setup.tasks import choose_task
    from denas_core.training.plan import read_plan
    from denas_core.training.settings import make_settings

    plan = read_plan(directory, registry)
    parts = given.options()
    task = plan.task
    if given.task is not None or parts["task"]:
        task = choose_task(
            registry, plan.space, given.task or plan.task.id, {**plan.task.options(), **parts["task"]}
        )
    return dataclasses.replace(
        plan,
        task=task,
        arch=plan.arch if _is_named(plan, given.arch) else _architecture(plan.space, given.arch),
        settings=make_settings(task.id, {}, {**plan.settings.options(), **parts["training"]}),
        data=plan.data if given.data is None else given.data.absolute(),
        device=device_of(given.device or plan.device),
        teacher=plan.teacher if given.teacher is None else _teacher(given.teacher),
    )


def _is_named(plan: Plan, given: str | None) -> bool:
    # A user may repeat the command of the training with --resume, and so name the key again.
    return given is None or (given != "" and plan.arch.key.startswith(given))


def _other_architecture(origin: Origin, given: str | None) -> Architecture:
    try:
        return _architecture(origin.space, given)
    except ConfigError as error:
        if given is None or not given.isalnum():
            raise
        raise ConfigError(
            f"no finalist of run {str(origin.path)!r} has a key that begins with {given!r}, and it is not an "
            f"architecture of {origin.space.id!r}; choose from {', '.join(key[:12] for key in origin.finalists())}"
        ) from error


def _architecture(space: SearchSpace, given: str | None) -> Architecture:
    from denas_core.setup.architectures import read_architecture

    if given is None:
        raise ConfigError(f"no architecture of {space.id!r} is named; name one with --arch")
    return read_architecture(space, given)


def device_of(given: str) -> str:
    """Return ``cpu`` or ``cuda`` for the device that the user named.

    Raises:
        ConfigError: there is no such device.
    """
    from denas_core.setup.checks import choose_device

    if given not in DEVICES:
        raise ConfigError(f"device {given!r} is not one of {', '.join(DEVICES)}")
    return choose_device(given)


def _teacher(given: Path | None) -> Path | None:
    from denas_core.models.find import find_model

    return None if given is None else find_model(given).absolute()


def _setting_names() -> list[str]:
    from denas_core.training.settings import TrainingSettings

    return [f"training.{field.name}" for field in dataclasses.fields(TrainingSettings)]
