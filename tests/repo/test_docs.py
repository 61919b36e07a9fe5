"""The documents are true: their code runs, their commands parse, their tables are those of the code."""

from __future__ import annotations

import contextlib
import dataclasses
import doctest
import importlib
import inspect
import json
import re
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from denas_core import (
    Exporter,
    OperatorTimer,
    Preprocessing,
    Split,
    SupervisedExecutor,
    TimedProbe,
    errors,
    hookspecs,
    load_model,
)
from denas_core.cli import _run
from denas_core.registry.loading import HOOKS
from denas_core.registry.registry import CONTRACTS, Registry
from denas_core.setup.config import COMPONENTS, RunConfig
from denas_core.setup.search_config import SearchConfig

from .documents import DOCUMENTS, ROOT, Block, blocks, commands, denas_arguments, name_of

DOCS = ROOT / "docs"
WITH_PYTHON = [path for path in DOCUMENTS if blocks(path, "python")]
WITH_CONSOLE = [path for path in DOCUMENTS if blocks(path, "console")]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory with the examples, as the current one and on the import path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "denas_hello":
            del sys.modules[name]


@contextlib.contextmanager
def notebook() -> Iterator[dict[str, Any]]:
    """Yield the namespace of a module that can be found by name, as ``__main__`` can in a notebook."""
    module = types.ModuleType("document_in_test")
    sys.modules[module.__name__] = module
    try:
        yield module.__dict__
    finally:
        del sys.modules[module.__name__]


def write_file(block: Block, directory: Path) -> None:
    path = directory / str(block.file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")


@pytest.mark.parametrize("path", WITH_PYTHON, ids=name_of)
def test_python_blocks_run_in_order(path: Path, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with notebook() as namespace:
        for block in blocks(path, "python"):
            if block.file is not None:
                write_file(block, desk)
                continue
            # Line numbers in a traceback are those of the document.
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, str(path), "exec"), namespace)


@pytest.mark.parametrize("path", WITH_CONSOLE, ids=name_of)
def test_commands_parse(path: Path) -> None:
    import typer

    from denas_core.cli.app import app

    group = typer.main.get_command(app)
    for block in blocks(path, "console"):
        for command in commands(block):
            for arguments in denas_arguments(command.line):
                parse(group, arguments, f"{name_of(path)}:{block.line}: {command.line}")


def parse(command: Any, arguments: list[str], where: str) -> None:
    """Parse a command line down to the last subcommand without running it."""
    try:
        if not hasattr(command, "commands"):
            command.make_context("denas", list(arguments))
            return
        while arguments and arguments[0] in ("--debug", "--version", "--help"):
            arguments = arguments[1:]
        # A group may have a command for arguments that name none.
        arguments = getattr(command, "with_command", list)(arguments)
        if arguments:
            inner = command.get_command(None, arguments[0])
            assert inner is not None, f"no command {arguments[0]!r} ({where})"
            parse(inner, arguments[1:], where)
    except Exception as error:
        pytest.fail(f"{where}: {getattr(error, 'message', error)}")


@pytest.mark.parametrize("path", WITH_CONSOLE, ids=name_of)
def test_commands_print_what_the_document_shows(
    path: Path, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = [c for block in blocks(path, "console") for c in commands(block) if c.output is not None]
    same = doctest.OutputChecker().check_output
    for command in shown:
        (arguments,) = denas_arguments(command.line)
        capsys.readouterr()
        _run(arguments, debug=False)
        printed = capsys.readouterr()
        text = printed.out if command.hides_errors else printed.out + printed.err
        assert same(str(command.output), text, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE), text


def test_links_between_documents_lead_somewhere() -> None:
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
            if not target.startswith(("http:", "https:", "#", "mailto:")):
                assert (path.parent / target.partition("#")[0]).exists(), f"{name_of(path)} links to {target}"


def test_hooks_has_a_heading_for_every_specification_with_its_signature() -> None:
    headings = re.findall(r"^### `(.+)`$", (DOCS / "hooks.md").read_text(encoding="utf-8"), re.MULTILINE)
    specifications = {
        name: f"{name}{inspect.signature(function)}".replace("'", "")
        for name, function in vars(hookspecs).items()
        if hasattr(function, "denas_spec")
    }
    assert headings == list(specifications.values())
    assert set(specifications) == {*HOOKS.values(), "denas_add_commands", "denas_doctor"}


def members_of(contract: type[Any]) -> set[str]:
    """Return the public methods, properties and class attributes of a contract, without its options."""
    own = [kind for kind in contract.__mro__ if kind.__module__.startswith("denas_core.")]
    names = {name for kind in own for name in (*vars(kind), *inspect.get_annotations(kind))}
    options = (
        {field.name for field in dataclasses.fields(contract)}
        if dataclasses.is_dataclass(contract)
        else set()
    )
    return {name for name in names - options if not name.startswith("_")}


def contracts() -> list[type[Any]]:
    """Return what a component derives from, and the other classes that plugins derive theirs from."""
    references = [reference.split(":") for kind in CONTRACTS.values() for reference in kind]
    return [
        *(getattr(importlib.import_module(module), name) for module, name in references),
        *(TimedProbe, OperatorTimer, SupervisedExecutor, Split, Preprocessing),
    ]


@pytest.mark.parametrize("contract", contracts(), ids=lambda contract: contract.__name__)
def test_hooks_names_every_public_member_of_a_contract(contract: type[Any]) -> None:
    text = (DOCS / "hooks.md").read_text(encoding="utf-8")
    # Names are marked as code; the same word in a sentence says nothing of the member.
    named = {word for code in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"\w+", code)}
    assert f"denas_core.{contract.__name__}" in text
    assert sorted(members_of(contract) - named) == []


def test_members_are_methods_and_class_attributes_and_not_options() -> None:
    assert {"streams", "write", "id", "named"} <= members_of(Exporter)
    assert {"stopwatch", "prepare"} <= members_of(TimedProbe) and "warmup" not in members_of(TimedProbe)


def test_the_plugin_of_hooks_works_from_files_alone(desk: Path) -> None:
    document = DOCS / "hooks.md"
    files = [block for language in ("toml", "python") for block in blocks(document, language) if block.file]
    for block in files:
        write_file(block, desk)
    project = tomllib.loads((desk / "pyproject.toml").read_text())
    install(desk, project["project"], project["project"]["entry-points"]["denas"])
    (plugin,) = [plugin for plugin in Registry.discover().plugins if plugin.name == "hello"]
    assert plugin.status == "ok", plugin.reason
    assert plugin.as_dict()["components"] == {"score": ["grad-norm"]}
    assert len((desk / "denas_hello/grad_norm.py").read_text().splitlines()) <= 20

    install(desk, project["project"], {"hello": "denas_hello.all_kinds"})
    assert {k for k, names in plugin_named("hello").components.items() if names} == set(HOOKS)
    arguments = ["search", "hello/mlp", "--score", "hello/grad-norm", "--strategy", "hello/local", "-q"]
    arguments += ["--set", "probe.name=hello/bfloat16", "--set", "executor.name=hello/polite"]
    arguments += ["--set", "probe.min_rounds=6", "--set", "probe.max_rounds=6", "--objective", "score"]
    arguments += ["--objective", "latency_ms", "--budget", "12", "--out", "runs/hello", "--json"]
    assert _run(arguments, debug=True) == 0
    assert json.loads(Path("runs/hello/result.json").read_text())["trials"]["scored"] == 12
    arguments = ["search", "hello/mlp", "--weights", "hello/grad-norm=1", "--budget", "2", "-q"]
    assert _run([*arguments, "--out", "runs/component"], debug=True) == 0
    assert _run(["show", "hello/grad-norm"], debug=True) == 0
    assert "hello/grad-norm" in Path("runs/component/result.json").read_text()
    for name, rows in (("train", 24), ("valid", 8)):
        lines = [",".join([*(f"{(row * k) % 7}" for k in range(1, 11)), f"{row % 2}"]) for row in range(rows)]
        Path(f"{name}.csv").write_text("\n".join(lines))
    arguments = ["train", "runs/hello", "--data", ".", "--task", "hello/table", "--epochs", "1", "-q"]
    assert _run(arguments, debug=True) == 0
    save_file({"weight": torch.ones(64, 10)}, "first.safetensors")
    arguments = ["train", "hello/stored", "--data", ".", "--task", "hello/table", "--epochs", "0", "-q"]
    arguments += ["--arch", "{width: 8, activation: gelu}", "--set", "space.checkpoint=first.safetensors"]
    arguments += ["--out", "stored"]
    assert _run(arguments, debug=True) == 0
    Path("first.safetensors").unlink()
    assert bool((load_model("stored/model").network[0].weight == 1).all())  # type: ignore[index]
    assert _run(["evaluate", "runs/hello", "--data", "."], debug=True) == 0
    assert _run(["export", "runs/hello", "--to", "hello/half"], debug=True) == 0
    assert _run(["greet", "runs/hello"], debug=True) == 0


def plugin_named(name: str) -> Any:
    (plugin,) = [plugin for plugin in Registry.discover().plugins if plugin.name == name]
    assert plugin.status == "ok", plugin.reason
    return plugin


def install(directory: Path, project: dict[str, Any], entry_points: dict[str, str]) -> None:
    """Make Python believe that a project is installed in `directory`."""
    folder = directory / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    folder.mkdir(exist_ok=True)
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (folder / "METADATA").write_text(metadata)
    lines = [f"{name} = {module}" for name, module in entry_points.items()]
    (folder / "entry_points.txt").write_text("\n".join(["[denas]", *lines, ""]))


def test_the_table_of_keys_is_that_of_the_configuration() -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    table = text.partition("<!-- keys -->\n")[2].partition("<!-- /keys -->")[0]
    expected = keys_table()
    assert table == expected, f"put this between the marks in docs/configuration.md:\n{expected}"


def keys_table() -> str:
    types_ = dict.fromkeys(COMPONENTS, "component") | {
        "data": "path or mapping",
        "constraints": "list of texts",
        "search": "mapping",
        "objectives": "list of texts",
        "budget": "number or text",
        "seed": "whole number",
        "device": "`auto`, `cpu` or `cuda`",
        "threads": "whole number",
        "out": "text",
    }
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name, field in RunConfig.model_fields.items():
        default = "required" if field.is_required() else shown_default(field.get_default())
        rows.append(f"| `{name}` | {types_[name]} | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def shown_default(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`"
    if isinstance(value, SearchConfig):
        return f"`{{latency: {value.latency}}}`"
    return f"`{getattr(value, 'name', value)}`"


def test_the_schema_file_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["config", "schema"], debug=False) == 0
    assert (DOCS / "config.schema.json").read_text(encoding="utf-8") == capsys.readouterr().out


def test_the_table_of_exit_codes_is_that_of_the_errors() -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8").partition("## Exit codes")[2]
    stated: dict[str, set[int]] = {}
    for codes, classes in re.findall(r"^\| ([\d, ]+) \| .* \| (.*?) \|$", text, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", classes):
            stated[name] = {int(code) for code in codes.split(",")}
    family = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.DenasError)
    }
    assert stated.pop("Interrupted") == {
        errors.Interrupted("", signal_number=number).exit_code for number in (1, 2, 15)
    }
    del family["Interrupted"]
    assert stated == {name: {kind.exit_code} for name, kind in family.items()}


def test_the_help_page_lists_the_exit_codes() -> None:
    from denas_core.cli.app import app

    stated = {int(code) for code in re.findall(r"(\d+) [a-zI]", str(app.info.epilog))}
    codes = {kind.exit_code for kind in errors.DenasError.__subclasses__() if kind is not errors.Interrupted}
    assert stated == codes | {0}
