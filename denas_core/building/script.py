"""``predict.py``: a few lines that answer with an exported file, and need its runtime and NumPy alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from denas_core.contracts.exporter import Exporter
from denas_core.contracts.task import Task
from denas_core.contracts.trained_model import TrainedModel
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.models.export import inputs_of
from denas_core.text import one_line

PREDICT = "predict.py"

HEAD = '''"""{what}

{how}
"""

import os
import sys
from pathlib import Path

import numpy

HERE = Path(__file__).resolve().parent

'''

ANSWERING = """

def main():
    for given in sys.argv[1:]:
        print(given, answer(run(read(given))), sep="\\t", flush=True)
"""

FEEDING = """

def main():
    for given in sys.argv[1:]:
        for name, output in run(dict(numpy.load(given))).items():
            print(given, name, output.tolist(), sep="\\t", flush=True)
"""

MAIN = """

if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        # The reader of the output, such as head, has gone. Python would complain when it closes the output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
"""


FEED = """\
Its inputs are arrays of NumPy:

{inputs}

They must be prepared as in the training, which needs more than a few lines; card.json has labels, normalisation and
vocabulary. 'denas predict' does it for you.

Use: python predict.py FILE.npz..., files that numpy.savez has written with these arrays."""


def prediction_script(
    exporter: Exporter, task: Task[Any], model: TrainedModel, artefact: Path, folder: Path
) -> tuple[str, bool]:
    """Return the code of ``predict.py``, and whether its user must prepare the inputs.

    The code is empty if files of this form run only with a library that has its own way to predict.

    Args:
        exporter: The exporter of the file.
        task: What the network was trained for.
        model: The model.
        artefact: The file, relative to `folder`.
        folder: The folder of the script and the file.
    """
    with plugin_errors(f"exporter {exporter.id!r}", guard=False):
        running = exporter.script(model, artefact)
    if not running:
        return "", False
    with plugin_errors(f"task {task.id!r}", guard=False):
        reading = task.script(model.space, facts=model.facts)
    what = one_line(f"Answers of a network of {model.space.id} that was trained for {task.id}.")
    if reading:
        how = "Use: python predict.py FILE..."
        return HEAD.format(what=what, how=how) + f"{running}\n\n{reading}{ANSWERING}{MAIN}", False
    inputs = "\n".join(
        f"    {one['name']}: {one['dtype']}, {' x '.join(map(str, one['shape']))}"
        for one in inputs_of(model.space)
    )
    how = FEED.format(inputs=inputs)
    return HEAD.format(what=what, how=how) + running + FEEDING + MAIN, True
