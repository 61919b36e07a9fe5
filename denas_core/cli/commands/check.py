"""``denas check``: run the conformance checks on a plugin or on one of its components."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from denas_core.cli.arguments import JsonOption
from denas_core.cli.output import print_json
from denas_core.errors import ConfigError, NotInstalled, PluginError, did_you_mean
from denas_core.text import one_line

if TYPE_CHECKING:
    from denas_core.contracts.component import Component
    from denas_core.contracts.space import SearchSpace
    from denas_core.registry.loading import Kind, Plugin
    from denas_core.registry.registry import Registry
    from denas_core.testing.runner import Outcome

MARKS = {"passed": "✓", "failed": "✗", "skipped": "-"}
PLAIN_MARKS = {"passed": "ok  ", "failed": "FAIL", "skipped": "-   "}


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """A component, or a plugin as a whole: its checks stand under one heading.

    Attributes:
        id: Its name.
        kind: ``plugin``, or the kind of the component.
        outcomes: Runs the checks, one at a time.
    """

    id: str
    kind: str
    outcomes: Callable[[], Iterator[Outcome]]


def check(
    target: Annotated[
        str,
        typer.Argument(
            help="A plugin, e.g. cv, or a component with an optional preset, e.g. cv/cnn:imagenet."
        ),
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="OPTION=VALUE", help="Set an option of the component, e.g. classes=100."
        ),
    ] = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            "--space", metavar="ID", help="Check the component on this space instead of small sample spaces."
        ),
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option("--skip", metavar="CHECK", help="Leave out a check; --json shows the names."),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds that one check may take.")
    ] = 60.0,
    json_: JsonOption = False,
) -> None:
    """Check that a plugin keeps its contracts.

    Prints one line for each check, and for a check that fails what to fix. A plugin is checked with all its components.
    The exit code is 0 if no check fails, 3 if one fails, and 2 if there is no such plugin or component.
    """
    from denas_core.registry.registry import Registry

    registry = Registry.discover()
    skips = dict.fromkeys(skip or (), "left out by --skip")
    subjects = _subjects(registry, target, set_ or [], space or [], timeout, skips)
    _refuse_unknown(skips)
    report = _Report(None if json_ else sys.stdout)
    # Text that a plugin prints, even long after its check, must not end up in the list.
    with contextlib.redirect_stdout(io.StringIO()):
        for subject in subjects:
            report.begin(subject)
            for outcome in subject.outcomes():
                report.add(outcome)
    report.end()
    if json_:
        print_json({"schema": "denas.check/1", "target": target, **report.as_dict()})
    if report.counts["failed"]:
        raise typer.Exit(3)


class _Report:
    """Prints outcomes as they come, to a stream if there is one, and remembers them."""

    def __init__(self, stream: TextIO | None) -> None:
        self.counts = dict.fromkeys(MARKS, 0)
        self._stream = stream
        self._marks = MARKS if _can_print(stream, "".join(MARKS.values())) else PLAIN_MARKS
        self._subjects: list[dict[str, Any]] = []
        self._reasons: set[str] = set()

    def begin(self, subject: Subject) -> None:
        self._write(f"{subject.id} ({subject.kind})")
        self._reasons = set()
        self._subjects.append({"id": subject.id, "kind": subject.kind, "checks": []})

    def add(self, outcome: Outcome) -> None:
        self.counts[outcome.status] += 1
        self._subjects[-1]["checks"].append(dataclasses.asdict(outcome))
        # One fault in build() makes twenty checks fail: its line is printed once.
        is_known = outcome.reason in self._reasons
        self._write(f"  {self._marks[outcome.status]} {outcome.claim}{' (as above)' if is_known else ''}")
        if outcome.reason and not is_known:
            self._reasons.add(outcome.reason)
            self._write(f"    {' ' * len(self._marks[outcome.status])}{one_line(outcome.reason, 600)}")

    def end(self) -> None:
        counts = self.counts
        self._write(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")

    def as_dict(self) -> dict[str, Any]:
        return {**self.counts, "subjects": self._subjects}

    def _write(self, line: str) -> None:
        if self._stream is not None:
            self._stream.write(f"{line}\n")
            # A check may take seconds: show each line at once, through a pipe too.
            self._stream.flush()


def _subjects(
    registry: Registry,
    target: str,
    settings: list[str],
    space_ids: list[str],
    timeout: float,
    skips: Mapping[str, str],
) -> list[Subject]:
    plugins = [plugin for plugin in registry.plugins if plugin.name == target]
    options = _options(settings)
    spaces = tuple(registry.create("space", id) for id in space_ids)
    if not plugins and ":" not in target and "/" not in target and not _is_component(registry, target):
        known = [plugin.name for plugin in registry.plugins]
        raise NotInstalled(
            f"there is no plugin and no component {target!r}{did_you_mean(target, known)}; 'denas plugins' lists them; "
            "your own plugin needs [project.entry-points.denas] in its pyproject.toml, and a new pip install"
        )
    if not plugins:
        # Refuse wrong options, and a class that cannot be imported, before any check.
        registry.create(registry.kind_of(target.partition(":")[0]), target, options, origin="--set")
        return [_component(registry, target, options, spaces, timeout, skips)]
    if options:
        raise ConfigError(f"--set is for one component, such as {target}/...; {target!r} is a plugin")
    found = [_plugin(registry, plugin, timeout, skips) for plugin in plugins]
    for plugin in plugins:
        for kind, names in plugin.components.items():
            for name in sorted(names):
                id = f"{plugin.name}/{name}"
                # A component that cannot be made is reported by the checks of the plugin.
                if _can_be_made(registry, kind, id):
                    found.append(_component(registry, id, {}, spaces, timeout, skips))
    return found


def _plugin(registry: Registry, plugin: Plugin, timeout: float, skips: Mapping[str, str]) -> Subject:
    def run() -> Iterator[Outcome]:
        from denas_core.testing.checks.plugins import Installed
        from denas_core.testing.classes import PLUGIN_CHECKS
        from denas_core.testing.runner import outcomes

        yield from outcomes(PLUGIN_CHECKS, lambda: Installed(plugin, registry), seconds=timeout, skips=skips)

    return Subject(f"{plugin.name}: {plugin.distribution} {plugin.version}", "plugin", run)


def _component(
    registry: Registry,
    name: str,
    options: Mapping[str, Any],
    spaces: tuple[SearchSpace, ...],
    timeout: float,
    skips: Mapping[str, str],
) -> Subject:
    base, colon, preset = name.partition(":")
    kind: Kind = registry.kind_of(base)

    def make() -> Component:
        component: Component = registry.create(kind, name, options, origin="--set")
        return component

    def run() -> Iterator[Outcome]:
        from denas_core.testing.classes import class_for
        from denas_core.testing.runner import outcomes

        tests = class_for(registry.load(kind, base))
        return outcomes(tests.every_check(), make, spaces or tests().spaces(), seconds=timeout, skips=skips)

    return Subject(registry.resolve(kind, base) + colon + preset, kind, run)


def _can_be_made(registry: Registry, kind: Kind, id: str) -> bool:
    try:
        registry.create(kind, id)
    except (PluginError, ConfigError):
        return False
    return True


def _options(settings: Iterable[str]) -> dict[str, Any]:
    from denas_core.setup.config import apply_settings

    return dict(apply_settings({"options": {}}, [f"options.{setting}" for setting in settings])["options"])


def _is_component(registry: Registry, name: str) -> bool:
    try:
        registry.kind_of(name)
    except NotInstalled:
        return False
    return True


def _refuse_unknown(skips: Mapping[str, str]) -> None:
    from denas_core.testing.classes import KINDS, PLUGIN_CHECKS

    known = {check.name for check in PLUGIN_CHECKS}
    known |= {check.name for tests in KINDS for check in tests.every_check()}
    for name in skips:
        if name not in known:
            raise ConfigError(
                f"there is no check {name!r} (--skip){did_you_mean(name, known)}; --json names them"
            )


def _can_print(stream: TextIO | None, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
