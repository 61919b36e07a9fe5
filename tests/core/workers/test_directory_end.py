"""The end of a search in a shared directory: nothing of it is left there."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from pathlib import Path

from denas_core.workers.directory import DirectoryTransport, check_directory
from denas_core.workers.supervisor import Supervisor
from denas_core.workers.versions import versions

from . import evaluations
from .directory_workers import working
from .evaluations import work

LIMIT = 300.0
EARLY = 3000
"""Files in the folder of the search. With many of them, a removal takes long enough for others to come."""


def test_letters_that_come_while_a_search_ends_do_not_keep_its_folder(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o700)
    check_directory(shared)
    facts = {"versions": versions(), "demand": {"threads": 1, "device": "cpu", "memory": None}}
    supervisor = Supervisor(DirectoryTransport(shared, facts, silence=LIMIT), deadline=LIMIT)
    with working(shared):
        assert len(list(supervisor.run(evaluations.square, work(6)))) == 6
        (search,) = shared.glob("search-*")
        for number in range(EARLY):
            (search / f"early{number}").touch()
        end = time.monotonic() + 0.3

        def write() -> None:
            for number in itertools.count():
                if time.monotonic() > end:
                    return
                with contextlib.suppress(OSError):
                    (search / f"late{number}").write_text("late")

        late = threading.Thread(target=write)
        late.start()
        supervisor.close()
        late.join()
    assert not search.exists()
