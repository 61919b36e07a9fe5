"""Kills and interrupts at random moments, from the start of Python to the last file."""

from __future__ import annotations

import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .toy import Counts, committed, go_on, outcome, search
from .warm import ROOT, TOY, Warm

BUDGET = 60
PAUSE = ("--set", "score.pause=0.004")


def killed(count: int) -> Counts:
    """Kill a search with SIGKILL until `count` kills have hit it at work; every few, let it end, and begin anew."""
    phases: collections.Counter[str] = collections.Counter()
    counts: Counts = {"kills": 0, "runs": 0, "failures": []}
    rng = random.Random(3)
    with tempfile.TemporaryDirectory() as name, Warm() as warm:
        whole, run = Path(name) / "whole", Path(name) / "run"
        assert warm.run(*search(whole, BUDGET)).code == 0
        reference = outcome(whole)
        start = time.monotonic()
        warm.run(*search(run, BUDGET, *PAUSE))
        duration = time.monotonic() - start
        shutil.rmtree(run)
        while counts["kills"] < count:
            counts["runs"] += 1
            for _ in range(rng.randint(1, 8)):
                phase = _killed_once(warm, run, rng, duration)
                if phase is not None:
                    phases[phase] += 1
                    counts["kills"] += 1
            again = go_on(warm, run, BUDGET, *PAUSE)
            if again.code != 0 or outcome(run) != reference or list(run.rglob(".*.tmp*")):
                counts["failures"].append(f"run {counts['runs']}: {again.err[-300:]}")
            shutil.rmtree(run)
    return counts | {f"killed {phase}": number for phase, number in phases.items()}


def _killed_once(warm: Warm, run: Path, rng: random.Random, duration: float) -> str | None:
    begun = (run / "study.db").exists()
    before = committed(run)
    arguments = ["search", "--resume", str(run), "-q"] if begun else search(run, BUDGET, *PAUSE)
    child = warm.start(*arguments)
    share = 1 - before / (BUDGET * 1.2)
    # Creation and result are short: most of the time would be spent between them.
    time.sleep(rng.choice([rng.uniform(0, 0.1), rng.uniform(0, duration * share * 1.05)]))
    child.send(signal.SIGKILL)
    if child.wait().code != -signal.SIGKILL:
        return None
    if not run.exists():
        return "before the run"
    if not (run / "study.db").exists():
        return "at its creation"
    if (run / "architectures").exists():
        return "at the result"
    return "at a trial" if committed(run) > before else "at the first trial"


def interrupted(count: int) -> Counts:
    """Send Ctrl-C, SIGTERM or SIGHUP at random moments to commands as a user types them.

    Moments before the command's own first line, while Python starts, are counted and left out: nothing of this project
    runs yet.
    """
    seen: collections.Counter[str] = collections.Counter()
    counts: Counts = {"signals": 0, "slowest end, s": 0.0, "failures": []}
    rng = random.Random(4)
    with tempfile.TemporaryDirectory() as name, Warm() as warm:
        whole = Path(name) / "whole"
        assert warm.run(*search(whole, BUDGET)).code == 0
        reference = outcome(whole)
        for number in range(count):
            run = Path(name) / f"run{number}"
            which = rng.choice([signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
            problem, what = _interrupted_once(run, which, rng.uniform(0.02, 1.8), counts)
            seen[what] += 1
            counts["signals"] += 1
            if not problem and run.exists():
                again = go_on(warm, run, BUDGET, *PAUSE)
                if again.code != 0 or outcome(run) != reference:
                    problem = f"going on ends with {again.code}: {again.err[-300:]}"
            if problem:
                counts["failures"].append(f"{which.name}: {problem}")
            shutil.rmtree(run, ignore_errors=True)
    return counts | dict(sorted(seen.items()))


def _interrupted_once(run: Path, which: signal.Signals, moment: float, counts: Counts) -> tuple[str, str]:
    script = "import denas_core.cli as c; c.main()"
    process = subprocess.Popen(
        [sys.executable, "-c", script, *search(run, BUDGET, *PAUSE)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{TOY}", "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(moment)
    start = time.monotonic()
    process.send_signal(which)
    _, errors = process.communicate(timeout=300)
    counts["slowest end, s"] = round(max(counts["slowest end, s"], time.monotonic() - start), 2)
    code, expected = process.returncode, 128 + which
    if _has_orphan(process.pid):
        return "an orphan is left", "orphan"
    if code == 0:
        return "", "had ended"
    if code == -which or ("Traceback" in errors and "denas_core/" not in errors and not run.exists()):
        # As Python itself dies; a shell shows 128 and the number.
        return "" if not run.exists() or which != signal.SIGINT else errors[-500:], "as Python starts"
    if code != expected or errors.count("\n") != 1 or not errors.startswith("error: stopped"):
        return f"exit {code}: {errors[-900:]}", "wrong"
    return "", "kept trials" if "kept" in errors else "before the search or after it"


def _has_orphan(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
