"""The command ``denas transcribe``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.cli.api import DecodeOption, DeviceOption, JsonOption, LmOption, print_json, print_notice

if TYPE_CHECKING:
    from denas_asr.transcriber import Transcript

SCHEMA = "denas.transcripts/1"


def transcribe(
    model: Annotated[
        Path, typer.Argument(metavar="RUN|MODEL", help="A trained run, or the directory of a trained model.")
    ],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Audio files, or folders with audio files.")
    ],
    decode: DecodeOption = None,
    lm: LmOption = None,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, help="Number of files that the network processes together.")
    ] = 8,
    device: DeviceOption = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="task.KEY=VALUE", help="Set an option of decoding, e.g. task.beam=20."),
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Transcribe audio files: print one line for each file, with its name and its text.

    Files that cannot be read are reported; the other files are still transcribed.
    """
    from denas_asr.task.recordings import audio_files
    from denas_asr.transcriber import Transcriber
    from denas_core import Registry, load_model
    from denas_core.cli.api import device_of, memory_errors, require_extra, task_for_once
    from denas_core.models import find_model

    require_extra("train", "safetensors", purpose="a trained model")
    registry = Registry.discover()
    directory = find_model(model)
    trained = load_model(directory, registry)
    task = trained.task and task_for_once(registry, trained.task, set_ or [], decoding=decode, lm=lm)
    transcriber = Transcriber(trained, task=task, device=device_of(device or "auto"))
    found: list[Transcript] = []
    with memory_errors(batch_size):
        for each in transcriber.transcripts(audio_files(files), batch_size=batch_size):
            found.append(each)
            if each.fault is not None:
                print_notice(f"left out: {each.fault}")
            elif not json_:
                sys.stdout.write(f"{each.file}\t{each.text}\n")
                sys.stdout.flush()
    if json_:
        print_json(
            {
                "schema": SCHEMA,
                "model": str(directory),
                "decoding": transcriber.settings.decode,
                "transcripts": [_row(each) for each in found if each.fault is None],
                "left_out": [
                    {"file": str(each.file), "reason": str(each.fault)} for each in found if each.fault
                ],
            }
        )
    _refuse([each for each in found if each.fault is not None], of=len(found))


def _row(transcript: Transcript) -> dict[str, Any]:
    return {
        "file": str(transcript.file),
        "seconds": round(transcript.seconds, 2),
        "text": transcript.text,
    }


def _refuse(left_out: list[Transcript], *, of: int) -> None:
    from denas_core.errors import ConfigError, StorageError

    if not left_out:
        return
    # An existing file that cannot be opened is an operating system error; all other faults are the user's input.
    is_storage = all(
        isinstance(cause := each.fault and each.fault.__cause__, OSError)
        and not isinstance(cause, FileNotFoundError)
        for each in left_out
    )
    kind = StorageError if is_storage else ConfigError
    raise kind(f"{len(left_out)} of {of} files could not be read and were left out; their names are above")
