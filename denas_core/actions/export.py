"""Writing a model, or the trials of a run, in another form: what ``denas export`` does, and the same from Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.contracts.exporter import Exporter
from denas_core.contracts.run_exporter import RunExporter
from denas_core.errors import ConfigError
from denas_core.models.export import Export, export_model
from denas_core.models.export_folder import check_target
from denas_core.models.export_forms import form_id
from denas_core.models.find import find_model
from denas_core.models.searched import with_search
from denas_core.models.trained import load_model
from denas_core.registry.registry import Registry
from denas_core.results.run_export import RunExport, export_run, record_run
from denas_core.runs.files import TRAINING, is_run
from denas_core.system.extras import require_extra
from denas_core.training.origin import untrained_model

from .places import HasPath, component_document, path_of


def export(
    model: str | Path | HasPath,
    to: str | Mapping[str, Any] | Exporter | RunExporter,
    *,
    out: str | Path | None = None,
    replace: bool = False,
    untrained: bool = False,
    select: str | None = None,
) -> Export | RunExport:
    """Write a trained model, or the trials of a run, in a form for other programs.

    The export of a model is loaded again, and it is kept only if its outputs equal those of the network.

    Args:
        model: A trained run or model: its path, or the result of `search`, `train` or `race`.
        to: The form: a name such as ``"onnx"``, a mapping such as ``{"name": "onnx", "preprocessing": True}``, or an
            exporter.
        out: The directory of the export; by default ``export/FORM`` in the run or the directory of the model.
        replace: Whether an earlier export in that directory is replaced.
        untrained: Whether the best architecture of the run is exported with the weights that a training would begin
            with: those of the checkpoint if the space has one, else fresh ones.
        select: With `untrained`, another finalist: ``knee``, ``fastest``, ``smallest``, or its key.

    Returns:
        The export; ``path`` is the file, ``size_mb`` its size in megabytes, and ``usage`` code that loads it.

    Raises:
        ConfigError: there is no trained model, or the directory holds something else.
        NotInstalled: the form is that of a plugin that is not installed.
        PluginError: the exporter fails, or the export gives other outputs; nothing is kept.
        StorageError: the file system refuses.
    """
    registry = Registry.discover()
    path = path_of(model, what="a trained model")
    # The training of a run is exported where its run is.
    path = path.parent if path.name == TRAINING and is_run(path.parent) else path
    return export_from(
        path,
        _make_exporter(to, registry),
        registry,
        out=None if out is None else Path(out).expanduser(),
        replace=replace,
        untrained=untrained,
        select=select,
    )


def export_from(
    path: Path,
    exporter: Exporter | RunExporter,
    registry: Registry,
    *,
    out: Path | None,
    replace: bool,
    untrained: bool,
    select: str | None,
) -> Export | RunExport:
    """Write an export; see `export`.

    Args:
        path: A run, or the directory of a trained model.
        exporter: The exporter.
        registry: The installed plugins.
        out: The directory of the export.
        replace: Whether an earlier export is replaced.
        untrained: Whether the weights are those that a training would begin with.
        select: Another finalist than the best one.
    """
    directory = check_export(path, exporter, out=out, replace=replace, untrained=untrained, select=select)
    if isinstance(exporter, RunExporter):
        return export_run(exporter, record_run(path, registry), directory, replace=replace)
    require_extra("train", "safetensors", purpose="an export")
    if untrained:
        model = untrained_model(path, registry, choice=select, streams=exporter.streams)
    else:
        model = load_model(
            find_model(path, otherwise="; --untrained exports the weights that training begins with"),
            registry,
        )
    return export_model(exporter, with_search(model, path), directory, replace=replace)


def check_export(
    path: Path,
    exporter: Exporter | RunExporter,
    *,
    out: Path | None,
    replace: bool,
    untrained: bool,
    select: str | None,
) -> Path:
    """Return the directory of an export, after everything that can be checked before a model is loaded.

    Raises:
        ConfigError: options exclude each other, or the directory is in use.
    """
    if untrained and isinstance(exporter, RunExporter):
        raise ConfigError(f"--untrained is for networks, and {exporter.id!r} writes the trials of a run")
    if select is not None and not untrained:
        raise ConfigError(
            f"--select {select!r} chooses an architecture that is exported with --untrained; "
            "'denas train --select' chooses the one that is trained"
        )
    name = re.split("[/:]", exporter.id)[-1]
    directory = path / "export" / name if out is None else out
    check_target(directory, replace=replace)
    return directory


def _make_exporter(to: object, registry: Registry) -> Exporter | RunExporter:
    document = component_document(to, what="to")
    if document is None:
        raise ConfigError(f"no form is named; name one of {', '.join(registry.ids('exporter'))}")
    exporter: Exporter | RunExporter = registry.create(
        "exporter", form_id(registry, document.pop("name")), document, origin="export()"
    )
    return exporter
