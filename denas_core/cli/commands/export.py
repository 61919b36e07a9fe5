"""``denas export``: a trained model, or the trials of a run, in a form for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.cli.arguments import JsonOption
from denas_core.cli.completion import names, runs
from denas_core.cli.output import print_json, print_text
from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from denas_core.contracts.exporter import Exporter
    from denas_core.contracts.run_exporter import RunExporter
    from denas_core.models.export import Export
    from denas_core.results.run_export import RunExport


def export(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="RUN|MODEL", help="A run, or the directory of a trained model.", autocompletion=runs
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            autocompletion=names("exporter"),
            metavar="FORM",
            help="safetensors, torch-export, huggingface, onnx (from denas-onnx), openvino (from denas-openvino), "
            "executorch (from denas-executorch), peft and merged (from denas-adapters), "
            "optuna (all trials of a run, from denas-optuna), or another installed exporter.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Directory of the export. [default: RUN/export/FORM]"
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace an earlier export in that directory.")
    ] = False,
    untrained: Annotated[
        bool,
        typer.Option(
            "--untrained",
            help="Export the run's best architecture with the weights that a training would begin with: those of the "
            "checkpoint if the space has one, else fresh ones.",
        ),
    ] = False,
    select: Annotated[
        str | None,
        typer.Option(
            "--select",
            metavar="NAME|KEY",
            help="With --untrained, another finalist of the run: knee, fastest, smallest or large, or its key.",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set an option of the form, e.g. export.preprocessing=true of onnx, or export.license=mit of "
            "huggingface.",
        ),
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(
            "--push",
            metavar="ORG/NAME",
            help="Then upload the folder to the Hugging Face Hub under this name, with your login there "
            "('hf auth login'); only of the form huggingface.",
        ),
    ] = None,
    private: Annotated[
        bool,
        typer.Option("--private", help="With --push, a new model is visible only to its owner."),
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Write a trained model, or a run, in another form.

    The export of a model is loaded again as its user would load it, and compared with the network on batches of several
    sizes. It is kept only if it gives the same outputs. The export of a run is kept only if it has the same trials.
    """
    from denas_core.actions.export import check_export, export_from
    from denas_core.models.export_forms import form_id
    from denas_core.registry.registry import Registry

    registry = Registry.discover()
    exporter = registry.create("exporter", form_id(registry, to), _options(set_ or []), origin="--set")
    check_export(path, exporter, out=out, replace=replace, untrained=untrained, select=select)
    if push is not None:
        _check_push(exporter, push)
    done = export_from(path, exporter, registry, out=out, replace=replace, untrained=untrained, select=select)
    address = None if push is None else _push(done.directory, push, private=private)
    if json_:
        print_json(
            {"schema": "denas.exported/1", **done.as_dict(), **({"pushed": address} if address else {})}
        )
        return
    typer.echo(f"exported: {done.path} ({done.size_mb:.3g} MB)")
    print_text(_describe(done))
    typer.echo("load it in Python with:")
    for line in done.usage.splitlines():
        typer.echo(f"  {line}")
    if address is not None:
        typer.echo(f"uploaded: {address}")


def _check_push(exporter: Exporter | RunExporter, name: str) -> None:
    from denas_core.builtin.exporters.huggingface import HuggingFace
    from denas_core.builtin.exporters.huggingface_push import check_repository

    if not isinstance(exporter, HuggingFace):
        raise ConfigError(
            f"--push uploads models of transformers, and {exporter.id!r} writes another form; use --to huggingface"
        )
    check_repository(name)


def _push(directory: Path, name: str, *, private: bool) -> str:
    from denas_core.builtin.exporters.huggingface_push import push

    return push(directory, name, private=private)


def _describe(done: Export | RunExport) -> str:
    """Return how the export was checked."""
    from denas_core.models.export import SIZES, Export

    if not isinstance(done, Export):
        return f"{done.trials} trials, all read back and equal to those of the run"
    sizes = ", ".join(map(str, SIZES[:-1]))
    return (
        f"largest difference from the network: {done.difference:.2g} of its largest output (batches of {sizes} and "
        f"{SIZES[-1]}; {done.tolerance:g} is allowed)"
    )


def _options(settings: list[str]) -> dict[str, Any]:
    from denas_core.setup.config import apply_settings

    for setting in settings:
        if not setting.strip().startswith("export."):
            raise ConfigError(
                f"--set {setting!r} is not an option of the form; write its options as export.NAME=VALUE"
            )
    return dict(apply_settings({"export": {}}, settings)["export"])
