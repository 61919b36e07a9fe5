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

import argparse
import os
import sys
from pathlib import Path


def refuse(kind, error, trace):
    if issubclass(kind, KeyboardInterrupt):
        return
    if issubclass(kind, ImportError):
        advice = "install the package of this module, such as pillow for PIL"
    else:
        advice = "if a file of the export is missing or damaged, copy the whole folder again"
    said = " ".join(str(error).split())
    print(f"error: {{__file__}} cannot run: {{kind.__name__}}: {{said}}; {{advice}}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    # Packages and files of the export are loaded below, before there is an input to name.
    sys.excepthook = refuse

import numpy

HERE = Path(__file__).resolve().parent


def items(path):
    yield path, path

'''

READING = """

def lines():
    for line in sys.stdin or ():
        if line.strip():
            yield line.strip(), line.rstrip("\\r\\n")


def inputs(arguments):
    for text in arguments.text:
        yield text, text
    for given in arguments.files:
        each = None
        try:
            for each in lines() if given == "-" else items(given):
                yield each
            if each is None:
                raise ValueError("there is nothing to answer in it: no line with content")
        except Exception as error:
            yield given, error
"""

ANSWERING = """

def answers(given):
    yield answer(run(read(given)))
"""

FEEDING = """

def answers(given):
    if not given.endswith(".npz"):
        raise ValueError("an input is an .npz file of prepared arrays, see --help; 'denas predict' prepares inputs")
    with open(given, "rb") as file:
        if file.read(4) != b"PK\\x03\\x04":
            raise ValueError("it is not an .npz file that numpy.savez has written, see --help")
    try:
        outputs = run(dict(numpy.load(given)))
    except KeyError as error:
        raise ValueError(f"it lacks the array {error}, see --help")
    for name, output in outputs.items():
        yield f"{name}\\t{output.tolist()}"
"""

MAIN = """

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE", help="an input, or - to read one input a line")
    parser.add_argument("--text", action="append", default=[], help="what a line of the standard input would be")
    arguments = parser.parse_intermixed_args()
    if not arguments.files and not arguments.text:
        parser.error("there is nothing to predict; name files, give --text, or - to read lines")
    left_out = 0
    for name, given in inputs(arguments):
        name = " ".join(name.split())
        try:
            if isinstance(given, Exception):
                raise given
            lines = list(answers(given))
        except Exception as error:
            left_out += 1
            print("left out:", name, type(error).__name__, *str(error).split(), file=sys.stderr, flush=True)
            continue
        for line in lines:
            print(name, line, sep="\\t", flush=True)
    if left_out:
        print(f"error: {left_out} of the inputs could not be answered; see above", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    # The names of files may have bytes that are no text.
    if sys.stdin is not None:
        sys.stdin.reconfigure(errors="surrogateescape")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
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

Each FILE is an .npz file that numpy.savez has written with these arrays."""

ANSWER = """\
Each line that it prints has the name of an input, the answer and, for a label, its probability, separated by tabs.
Inputs that cannot be answered are named on the standard error, all others are answered, and the exit code is then 2."""


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
        head = HEAD.format(what=what, how=ANSWER)
        return f"{head}{running}\n\n{reading}{READING}{ANSWERING}{MAIN}", False
    inputs = "\n".join(
        f"    {one['name']}: {one['dtype']}, {' x '.join(map(str, one['shape']))}"
        for one in inputs_of(model.space)
    )
    return HEAD.format(what=what, how=FEED.format(inputs=inputs)) + running + READING + FEEDING + MAIN, True
