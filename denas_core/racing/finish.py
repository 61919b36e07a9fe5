"""The end of a race: the training of the winner becomes that of the run, and the weights of the others are removed."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

from denas_core.errors import ConfigError, RunBusy
from denas_core.runs.files import RACE, RESULT, TRAINING
from denas_core.system.atomic import storage_errors, sync_directory, write_json
from denas_core.system.lock import RunLock
from denas_core.training.result import MODEL, read_result
from denas_core.training.result import RESULT as TRAINING_RESULT

from .record import RaceRecord
from .trainer import KEY_LENGTH


def keep_winner(run: Path, record: RaceRecord, *, keeps_others: bool) -> None:
    """Move the training of the winner to the run, and remove the weights of the other networks. It can be repeated.

    Args:
        run: The run directory.
        record: The race, with its result.
        keeps_others: Whether the weights of the others are kept.

    Raises:
        ConfigError: the run has got another training in the meantime.
        StorageError: the file system refuses.
    """
    assert record.result is not None, "the race has ended"
    target = run / TRAINING
    source = run / RACE / f"{record.rungs[-1]}-epochs" / record.result["winner"][:KEY_LENGTH]
    with storage_errors(target):
        if source.exists():
            if target.exists():
                raise ConfigError(
                    f"{str(target)!r} has appeared while the race ran; move it, then go on with --resume"
                )
            source.rename(target)
            sync_directory(source.parent)
            sync_directory(run)
    if (found := read_result(target)) is not None:
        # The result names its own directory.
        write_json(target / TRAINING_RESULT, dataclasses.replace(found, directory=target).as_dict())
    if not keeps_others:
        for model in (run / RACE).glob(f"*-epochs/*/{MODEL}"):
            with storage_errors(model):
                shutil.rmtree(model)


def with_race(run: Path, record: RaceRecord) -> None:
    """Add a race to the result of its search.

    Raises:
        StorageError: the file system refuses.
    """
    try:
        lock = RunLock(run)
    except RunBusy:
        # A search that goes on in the run writes its result with the race when it ends.
        return
    try:
        with storage_errors(run / RESULT):
            document = json.loads((run / RESULT).read_text(encoding="utf-8"))
            write_json(run / RESULT, {**document, "race": record.as_dict()})
    except (ValueError, TypeError):
        # The record of the race itself is whole. The result of the search may be damaged, or of an earlier version.
        return
    finally:
        lock.release()
