"""Stores that are torn or have flipped bits: the trials that were written, or a prefix of them, or exit code 5."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from denas_core.errors import StoreDamaged
from denas_core.runs.store import Store

from .toy import Counts, outcome, search, trials
from .warm import Warm

PAGE = 4096
Files = dict[str, bytes]
"""Contents of a store's files by the end of their names: empty for the file itself, ``-wal`` for its log."""

OPENERS: tuple[Callable[[Path], Store], ...] = (Store.read, Store.open)


class Specimen:
    """A store in three states, and what it holds.

    Attributes:
        truth: Header and trials.
        closed: Its files after a clean end.
        killed: Its files after a kill: half of the trials are still in the log.
    """

    def __init__(self, directory: Path, run: Path) -> None:
        found = trials(run)
        source = Store.read(run / "study.db")
        self.header = source.header()
        source.close()
        path = directory / "specimen.db"
        store = Store.create(path, self.header)
        for trial in found[: len(found) // 2]:
            store.append(trial, active_seconds=1.0)
        store.close()
        store = Store.open(path)
        for trial in found[len(found) // 2 :]:
            store.append(trial, active_seconds=2.0)
        self.truth = [trial.as_dict() for trial in store.trials()]
        self.killed = read_files(path)
        store.close()
        self.closed = read_files(path)
        assert "-wal" in self.killed
        assert "-wal" not in self.closed

    def judge(self, directory: Path, files: Files, counts: Counts) -> str:
        """Open files in both ways; return what is wrong, or an empty text, and count how it went."""
        for opener in OPENERS:
            write_files(directory / "study.db", files)
            verdict = self._opened(opener, directory / "study.db")
            if verdict not in ("whole", "prefix", "refused"):
                return f"{opener.__name__}: {verdict}"
            counts[verdict] += 1
        return ""

    def _opened(self, opener: Callable[[Path], Store], path: Path) -> str:
        try:
            with opener(path) as store:
                header, seconds, found = store.header(), store.active_seconds(), store.trials()
        except StoreDamaged as error:
            return "refused" if "\n" not in str(error) else f"more than one line: {error}"
        except BaseException as error:
            return f"{type(error).__name__}: {error}"
        rows = [trial.as_dict() for trial in found]
        if header != self.header or seconds not in (0.0, 1.0, 2.0) or rows != self.truth[: len(rows)]:
            return "something else than was written"
        return "whole" if len(rows) == len(self.truth) else "prefix"


def torn(*, every: int = 1) -> Counts:
    """Cut a store and its log at every byte of their last pages, at every frame, and give the log a tail of rubbish.

    Args:
        every: Take each so many-th byte.
    """
    return _disturb(lambda specimen: _torn(specimen, every))


def flipped(count: int) -> Counts:
    """Flip one bit of a store or of its log, `count` times."""
    return _disturb(lambda specimen: _flipped(specimen, count))


def repaired(count: int) -> Counts:
    """Damage runs in many ways, repair and resume them: they end with the table they would have had.

    Args:
        count: Runs to damage.
    """
    counts: Counts = {"runs": 0, "repaired": 0, "whole": 0, "kept": 0, "of": 0, "failures": []}
    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as name, Warm() as warm:
        whole = Path(name) / "whole"
        assert warm.run(*search(whole, 60)).code == 0
        reference = outcome(whole)
        original = (whole / "study.db").read_bytes()
        total = len(trials(whole))
        for number in range(count):
            run = Path(name) / "run"
            shutil.copytree(whole, run)
            how, damaged = _damaged(original, rng)
            (run / "study.db").write_bytes(damaged)
            problem = _repair(warm, run, counts, total)
            if not problem and run.exists() and outcome(run) != reference:
                problem = "another result"
            if problem:
                counts["failures"].append(f"{how} ({number}): {problem}")
            shutil.rmtree(run)
    return counts


def _repair(warm: Warm, run: Path, counts: Counts, total: int) -> str:
    counts["runs"] += 1
    before = {file.name for file in run.iterdir()}
    done = warm.run("repair", str(run))
    if done.code != 0:
        return f"repair ends with {done.code}: {done.err[-200:]}"
    kept = len(trials(run))
    counts["kept"] += kept
    counts["of"] += total
    is_new = {file.name for file in run.iterdir()} != before
    counts["repaired" if is_new else "whole"] += 1
    again = warm.run("search", "--resume", str(run), "-q")
    return f"resume ends with {again.code}: {again.err[-200:]}" if again.code else ""


def _damaged(original: bytes, rng: random.Random) -> tuple[str, bytes]:
    raw = bytearray(original)
    pages = len(raw) // PAGE
    kind = rng.choice(["page", "bits", "cut", "first", "shuffled"])
    if kind == "page":
        for page in rng.sample(range(1, pages), rng.randint(1, 3)):
            raw[page * PAGE : (page + 1) * PAGE] = rng.randbytes(PAGE)
    elif kind == "bits":
        for _ in range(rng.randint(1, 40)):
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        # The header lies in the second page.
        del raw[rng.randrange(2 * PAGE, len(raw)) :]
    elif kind == "first":
        size = rng.choice([16, 100, PAGE])
        raw[:size] = bytes(size)
    else:
        one, other = rng.sample(range(1, pages), 2)
        a, b = slice(one * PAGE, (one + 1) * PAGE), slice(other * PAGE, (other + 1) * PAGE)
        raw[a], raw[b] = raw[b], raw[a]
    return kind, bytes(raw)


def _disturb(disturbed: Callable[[Specimen], Iterator[tuple[str, Files]]]) -> Counts:
    counts: Counts = {"stores": 0, "whole": 0, "prefix": 0, "refused": 0, "failures": []}
    with tempfile.TemporaryDirectory() as name, Warm() as warm:
        run = Path(name) / "run"
        assert warm.run(*search(run, 40)).code == 0
        specimen = Specimen(Path(name), run)
        place = Path(name) / "place"
        place.mkdir()
        for how, files in disturbed(specimen):
            counts["stores"] += 1
            problem = specimen.judge(place, files, counts)
            if problem:
                counts["failures"].append(f"{how}: {problem}")
    return counts


def _torn(specimen: Specimen, every: int) -> Iterator[tuple[str, Files]]:
    whole = specimen.closed[""]
    for size in range(len(whole) - PAGE, len(whole), every):
        yield f"cut at {size} of {len(whole)}", {"": whole[:size]}
    for size in range(0, len(whole), PAGE):
        yield f"cut at {size} of {len(whole)}", {"": whole[:size]}
    killed, log = specimen.killed[""], specimen.killed["-wal"]
    frame = PAGE + 24
    ends = (
        set(range(len(log) - frame, len(log), every)) | set(range(32, len(log), frame)) | set(range(0, 32, 4))
    )
    ends |= {end + step for end in range(32, len(log), frame) for step in (-1, 1)}
    for size in sorted(ends):
        yield f"log cut at {size} of {len(log)}", {"": killed, "-wal": log[:size]}
    rng = random.Random(1)
    for size in range(1, 2 * frame, max(every, 16)):
        yield f"log with {size} bytes of rubbish", {"": killed, "-wal": log + rng.randbytes(size)}
        torn_log = log[:-size] + rng.randbytes(size)
        yield f"log with {size} bytes overwritten", {"": killed, "-wal": torn_log}


def _flipped(specimen: Specimen, count: int) -> Iterator[tuple[str, Files]]:
    rng = random.Random(2)
    for number in range(count):
        files = dict(specimen.killed if number % 2 else specimen.closed)
        # A third of them in the first page, which is small and holds the most that others depend on.
        end = rng.choice(sorted(files))
        raw = bytearray(files[end])
        byte = rng.randrange(PAGE if number % 3 == 0 else len(raw))
        raw[byte] ^= 1 << rng.randrange(8)
        files[end] = bytes(raw)
        yield f"bit flipped in byte {byte} of {end or 'the file'}", files


def read_files(path: Path) -> Files:
    """Return what a store consists of."""
    parts: dict[str, Any] = {end: path.with_name(path.name + end) for end in ("", "-wal")}
    return {end: part.read_bytes() for end, part in parts.items() if part.exists()}


def write_files(path: Path, files: Files) -> None:
    """Put files in the place of a store's."""
    for end in ("", "-wal", "-shm"):
        part = path.with_name(path.name + end)
        part.unlink(missing_ok=True)
        if end in files:
            part.write_bytes(files[end])
