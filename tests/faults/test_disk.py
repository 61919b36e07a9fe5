"""A disk that fills up, or cannot be written: one line, exit code 6, and nothing committed is lost."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.core.toy_searches import denas, denas_command, denas_here, environment, table

SEARCH = ["search", "toy/stairs", "--score", "toy/both", "--device", "cpu", "--budget", "400", "-q"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run of a search that had all the space it needs."""
    run = tmp_path_factory.mktemp("whole") / "run"
    assert denas_here(*SEARCH, "-o", str(run)).returncode == 0
    return run


@pytest.mark.parametrize(
    "kilobytes", [1, 40, 100, *(pytest.param(size, marks=pytest.mark.nightly) for size in (70, 140))]
)
def test_a_search_on_a_full_disk_ends_with_6_and_goes_on_when_there_is_space(
    tmp_path: Path, kilobytes: int, whole: Path
) -> None:
    def limit() -> None:
        # No file may grow beyond the limit: what a full disk looks like to one process.
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))

    run = tmp_path / "full"
    full = subprocess.run(
        denas_command(*SEARCH, "-o", str(run)),
        capture_output=True, text=True, env=environment(), preexec_fn=limit, timeout=300, check=False,
    )  # fmt: skip
    assert full.returncode == 6, full.stderr
    assert full.stderr.startswith("error: cannot ")
    assert full.stderr.count("\n") == 1
    if (run / "study.db").exists():
        done = denas_here("search", "--resume", str(run), "-q")
    else:
        done = denas_here(*SEARCH, "-o", str(run))
    assert done.returncode == 0, done.stderr
    assert table(run) == table(whole)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_directory_is_refused_before_the_search(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        done = denas(*SEARCH, "-o", str(tmp_path / "run"))
    finally:
        tmp_path.chmod(0o755)
    assert done.returncode == 6
    assert done.stderr.startswith("error: cannot write")


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user's place")
@pytest.mark.parametrize("is_read_before", [False, True])
def test_a_run_can_be_read_where_nothing_can_be_written(is_read_before: bool) -> None:
    # Not under tmp_path, which other users cannot enter.
    with tempfile.TemporaryDirectory() as directory:
        run = Path(directory) / "run"
        assert denas_here(*SEARCH, "-o", str(run)).returncode == 0
        if is_read_before:
            # A reader leaves an empty log, and a copy may leave out the memory beside it.
            assert denas("trials", str(run)).returncode == 0
            assert (run / "study.db-wal").stat().st_size == 0
            (run / "study.db-shm").unlink()
        Path(directory).chmod(0o755)
        run.chmod(0o555)
        script = "import os, sys; os.setuid(65534); from denas_core.runs.files import read_run; "
        script += "from pathlib import Path; print(len(read_run(Path(sys.argv[1])).trials()))"
        # Imported before the change of user, who may not enter this environment.
        script = "import denas_core.runs.files; " + script
        done = subprocess.run(
            [sys.executable, "-c", script, str(run)],
            capture_output=True,
            text=True,
            env=environment(),
            check=False,
        )
        assert done.stdout == "400\n", done.stderr
