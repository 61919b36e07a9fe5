"""The last steps of a build: evaluation, export, measurement of the exported file, and what lies in the folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from denas_core.contracts.chance import nothing_learnt
from denas_core.contracts.exporter import Exporter
from denas_core.contracts.trained_model import TrainedModel
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.models.export import export_model
from denas_core.report.write import rewrite_report
from denas_core.runs.files import REPORT
from denas_core.system.atomic import storage_errors, write_atomically
from denas_core.training.evaluation import evaluate_network

from .measuring import measure_export
from .progress import Build
from .script import PREDICT, prediction_script

PARTIAL = "export.partial"


def evaluation_step(build: Build, model: TrainedModel) -> None:
    """Measure the model on the part of the data that training does not use."""
    if build.record.done("evaluation"):
        return
    task = build.design.task
    with build.step("evaluation", "measure the model on data that it was not trained on") as result:
        with plugin_errors(f"task {task.id!r}", guard=False):
            read = task.read(build.request.data, model.space, facts=model.facts)
            metrics = evaluate_network(
                model.network.to(build.design.device),
                model.space,
                task,
                read.valid,
                batch_size=build.design.settings.batch_size,
                device=build.design.device,
            )
        said = nothing_learnt(task.metric, metrics, len(read.valid))
        result |= {"metrics": metrics, "samples": len(read.valid), "nothing_learnt": said}


def export_step(build: Build, exporter: Exporter, model: TrainedModel, *, is_main: bool) -> None:
    """Write the model in a form: the main one in the folder of the build, another one in a folder of its own."""
    step = f"export {exporter.form}"
    if build.record.done(step):
        return
    out = build.request.out
    directory = out / PARTIAL if is_main else out / exporter.form
    with build.step(
        step, f"export to {exporter.form}, and compare its outputs with those of the network"
    ) as result:
        done = export_model(exporter, model, directory, replace=True)
        place = done.path.relative_to(directory)
        if is_main:
            move_files(directory, out)
        folder = out if is_main else directory
        code, needs_more = prediction_script(exporter, build.design.task, model, place, folder)
        if code:
            write_atomically(folder / PREDICT, code)
        result |= {
            "form": exporter.id,
            "path": str((folder / place).relative_to(out)),
            "size_mb": done.size_mb,
            "difference": done.difference,
            "predict": str((folder / PREDICT).relative_to(out)) if code else None,
            "predict_needs_inputs": needs_more,
        }


def measurement_step(build: Build, exporter: Exporter, model: TrainedModel) -> None:
    """Measure the latency of an exported file on this machine, and compare it with the bounds."""
    step = f"measure {exporter.form}"
    if build.record.done(step):
        return
    exported = build.record.done(f"export {exporter.form}")
    assert exported is not None, "it is exported before it is measured"
    with build.step(step, f"measure the {exporter.form} file on this machine") as result:
        result |= measure_export(build, exporter, model, build.request.out / exported["path"])
        if "reason" in result:
            build.observer.noticed(f"the {exporter.form} file could not be measured: {result['reason']}")


def report_step(build: Build) -> None:
    """Write the report of the search again, with all that the build has come to, and put it into the folder."""
    for notice in rewrite_report(build.run):
        build.observer.noticed(notice)
    with storage_errors(build.request.out):
        if (build.run / REPORT).is_file():
            shutil.copyfile(build.run / REPORT, build.request.out / REPORT)


def move_files(source: Path, target: Path) -> None:
    """Move everything in a folder into another one, in place of what has the same name there."""
    with storage_errors(target):
        for path in sorted(source.iterdir()):
            place = target / path.name
            if place.is_dir():
                shutil.rmtree(place)
            path.replace(place)
        source.rmdir()
