"""The other end of a shared directory: it finds searches, and passes letters to worker processes of this machine."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, NoResult, PluginError
from denas_core.system.atomic import storage_errors
from denas_core.text import seconds as duration

from .directory import GROWTH, SEARCH, SHORTEST_PAUSE
from .mailbox import SECONDS_BETWEEN_SIGNS, Pulse, post, renew_sign, take_letters
from .messages import LARGEST_ANSWER
from .supervisor import IDLE_LOSSES
from .transport import Event, Transport
from .versions import version_difference, versions

LONGEST_PAUSE = 0.2

SECONDS_OF_SILENCE = 10.0
"""A search without a sign of life for this time was killed. If it was not, its workers find it again."""

Report = Callable[[str], None]
MakeTransport = Callable[[Mapping[str, Any]], Transport]


def serve(
    directory: Path, make_transport: MakeTransport, *, waits: bool, patience: float, report: Report
) -> None:
    """Work for the searches of a directory, one after the other.

    Args:
        directory: The shared directory.
        make_transport: Makes the processes of this machine from the facts of a search.
        waits: Whether to wait for another search when one has ended.
        patience: Seconds to wait for a search; without limit if `waits`.
        report: Tells the user what happens.

    Raises:
        NoResult: no search has begun.
        ConfigError: the search has other versions, unless `waits`.
        PluginError: processes of this machine cannot load the job of the search.
    """
    pulses: dict[Path, Pulse] = {}
    refused: set[Path] = set()
    while True:
        search = _find(directory, pulses, refused, None if waits else patience)
        pulse = pulses.pop(search)
        worker = DirectoryWorker(search, pulse)
        if reason := version_difference(versions(), pulse.facts["versions"]):
            worker.say("refused", reason)
            if not waits:
                raise ConfigError(f"the search in {str(directory)!r} has other versions: {reason}")
            refused.add(search)
            report(f"left out {search.name}: {reason}")
            continue
        report(f"worker {worker.name} serves {search.name}")
        with storage_errors(directory):
            worker.serve(make_transport(pulse.facts))
        pulse.look()
        report(
            f"{search.name} has ended" if not pulse.facts else f"{worker.name} lost touch with {search.name}"
        )
        if not pulse.facts:
            shutil.rmtree(search, ignore_errors=True)
            if not waits:
                return


def _find(directory: Path, pulses: dict[Path, Pulse], refused: set[Path], patience: float | None) -> Path:
    """Wait for a search that is alive: folders of killed ones may lie there, too."""
    began = time.monotonic()
    while patience is None or time.monotonic() - began < patience:
        for search in sorted(directory.glob(f"{SEARCH}*")):
            pulse = pulses.setdefault(search, Pulse(search))
            pulse.look()
            if pulse.facts and pulse.has_changed and search not in refused:
                return search
        time.sleep(SECONDS_BETWEEN_SIGNS / 2)
    raise NoResult(f"no search has begun in {str(directory)!r} within {duration(patience)}")


class DirectoryWorker:
    """What a search sees of this machine: one mailbox, and the processes behind it."""

    def __init__(self, search: Path, pulse: Pulse) -> None:
        host = re.sub(r"[^A-Za-z0-9.]", "-", platform.node())
        self.name = f"{host}-{os.getpid()}-{secrets.token_hex(2)}"
        self._search = search
        self._pulse = pulse
        self._box = search / self.name
        self._job = ""
        self._signed_at = 0.0
        self._working: set[str] = set()
        self._idle_losses = 0

    def say(self, kind: str, reason: str) -> None:
        """Write to the search about this worker as a whole, if the search is still there."""
        with contextlib.suppress(OSError):
            post(self._search, self.name, {"worker": self.name, "kind": kind, "reason": reason})

    def serve(self, transport: Transport) -> None:
        """Work until the search ends, gives no sign of life, or has taken this worker for lost."""
        reason = ""
        try:
            # Whichever folder has been removed, this worker is no longer wanted.
            with contextlib.suppress(FileNotFoundError):
                self._box.mkdir()
                self._serve(transport)
        except PluginError as error:
            reason = str(error)
            raise
        finally:
            # The user may press Ctrl-C again; others must get the work at once.
            self.say("unable" if reason else "left", reason)
            transport.close()
            shutil.rmtree(self._box, ignore_errors=True)

    def _serve(self, transport: Transport) -> None:
        pause = SHORTEST_PAUSE
        while True:
            if time.monotonic() - self._signed_at >= SECONDS_BETWEEN_SIGNS:
                renew_sign(self._box, {})
                self._signed_at = time.monotonic()
                if self._pulse.look() > SECONDS_OF_SILENCE or not self._pulse.facts:
                    return
                self._load(transport, self._pulse.facts["job"])
            events = transport.wait(pause)
            for event in events:
                self._pass_on(event, is_free=event.worker in transport.free())
            letters = take_letters(self._box)
            for letter in letters:
                self._obey(transport, letter)
            pause = SHORTEST_PAUSE if events or letters else min(pause * GROWTH, LONGEST_PAUSE)

    def _load(self, transport: Transport, job: str) -> None:
        if job != self._job:
            transport.load((self._search / f"job-{job}").read_bytes())
            self._job = job

    def _obey(self, transport: Transport, letter: Mapping[str, Any]) -> None:
        process = letter["process"]
        if "end" in letter:
            self._working.discard(process)
            transport.end(process)
        else:
            self._load(transport, letter["job"])
            # If the process has ended meanwhile, the search has a letter about it.
            with contextlib.suppress(KeyError):
                transport.send(process, letter["work"].encode())
                self._working.add(process)

    def _pass_on(self, event: Event, *, is_free: bool) -> None:
        """Write to the search what happened to a process.

        Raises:
            PluginError: processes of this machine cannot load the job, or end again and again before they take work.
        """
        if event.kind == "unable":
            raise PluginError(f"the job of the search cannot be loaded: {event.reason}")
        if event.kind == "lost" and event.worker not in self._working:
            self._idle_losses += 1
            if self._idle_losses >= IDLE_LOSSES:
                raise PluginError(f"{IDLE_LOSSES} processes ended before they took any work: {event.reason}")
        elif event.kind != "ready":
            self._idle_losses = 0
        self._working.discard(event.worker)
        letter = {
            "worker": self.name,
            "kind": event.kind,
            "process": event.worker,
            "message": event.message[: LARGEST_ANSWER + 1].decode(errors="replace"),
            "reason": event.reason,
            "is_final": event.is_final,
            "is_free": is_free,
        }
        post(self._search, self.name, letter)
