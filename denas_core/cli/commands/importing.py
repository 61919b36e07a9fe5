"""``denas config import``: a configuration of the original DE-NAS becomes one of ours, with an account of every key."""

from __future__ import annotations

import dataclasses
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denas_core.cli.arguments import JsonOption
from denas_core.cli.output import print_json, print_next, print_notice, print_table
from denas_core.errors import ConfigError, DenasError

if TYPE_CHECKING:
    from denas_core.legacy.translate import Imported
    from denas_core.registry.registry import Registry


def import_(
    file: Annotated[
        str,
        typer.Argument(metavar="OLD.conf", help="Configuration of a search or a training of the original."),
    ],
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="File to write. [default: standard output]")
    ] = None,
    domain: Annotated[
        str | None, typer.Option("--domain", help="What --domain was, where the file does not say it.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Translate a search or training configuration of the original DE-NAS, and say what became of each of its keys."""
    from denas_core.legacy.page import commented_yaml
    from denas_core.legacy.translate import import_config
    from denas_core.registry.registry import Registry
    from denas_core.system.atomic import write_atomically
    from denas_core.system.guarded_yaml import load_mapping, read_text

    if out is not None and Path(out).exists():
        raise ConfigError(f"{out!r} exists; remove it first or choose another name")
    registry = Registry.discover()
    # The original's training for speech names its sample rate once, and repeats it by aliases.
    document = load_mapping(read_text(file), origin=file, value_aliases=True)
    imported = import_config(document, registry, origin=file, domain=domain)
    refusal = _refusal(imported, registry)
    text = commented_yaml(imported, origin=file)
    if out is not None:
        write_atomically(Path(out), text)
    if json_:
        print_json(_as_document(imported, file=file, out=out, refusal=refusal, text=text))
        return
    if out is None:
        typer.echo(text, nl=False)
    _print_account(imported)
    command = "train" if imported.is_training else "search"
    if refusal is not None:
        print_notice(f"note: denas {command} refuses this as it is: {refusal}")
    elif out is not None:
        place = " --out DIR" if imported.is_training else ""
        print_next([f"denas {command} --config {shlex.quote(out)}{place}"], file=sys.stderr)


def _refusal(imported: Imported, registry: Registry) -> str | None:
    """Return why a search or a training would refuse the new configuration; None if it takes it."""
    from denas_core.actions.training_options import plan_of
    from denas_core.setup.config import make_config
    from denas_core.setup.setup import Setup
    from denas_core.setup.training_file import make_training_file

    try:
        if imported.is_training:
            plan_of(make_training_file(imported.document, origin="the translation"), registry)
        else:
            Setup.from_config(make_config(imported.document, origin="the translation"), registry)
    except DenasError as error:
        return str(error)
    return None


def _print_account(imported: Imported) -> None:
    from denas_core.legacy.page import FATES

    rows = []
    for key, outcome in imported.outcomes.items():
        targets = [*outcome.constraints, *(f"{k}: {json.dumps(v)}" for k, v in outcome.settings.items())]
        old = json.dumps(imported.old[key]) if key in imported.old else ""
        words = ", ".join([f"translated to {targets[0]}", *targets[1:]]) if targets else FATES[outcome.fate]
        rows.append([key, old if len(old) <= 40 else f"{old[:37]}...", words, outcome.note])
    columns = ("key", "old value", "what became of it", "why")
    print_table(columns, rows, prose=columns[1:], file=sys.stderr)


def _as_document(
    imported: Imported, *, file: str, out: str | None, refusal: str | None, text: str
) -> dict[str, object]:
    return {
        "schema": "denas.import/1",
        "file": file,
        "out": out,
        "kind": "training" if imported.is_training else "search",
        "space": imported.space,
        "config": imported.document,
        "yaml": text,
        "refusal": refusal,
        "keys": [
            {"key": key, "old": imported.old.get(key), **dataclasses.asdict(outcome)}
            for key, outcome in imported.outcomes.items()
        ],
    }
