"""A fixed network that shows how fast this machine is at the moment, and its own latency when the machine is quiet."""

from __future__ import annotations

import dataclasses
import math
import os
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from denas_core.system.cache import read_cached, write_cached
from denas_core.system.machine import latency_fingerprint, moment
from denas_core.system.threads import pinned_threads

from .estimate import Quiet, lower_quartile, median_interval, uninterrupted
from .rounds import REFERENCE_ROUNDS
from .stopwatch import Round, Stopwatch

VERSION = 1
"""Changes with the network, so that latencies of different networks are never mixed up."""

BLOCKS = 40
REST_SECONDS = 0.002
EVICTED_BYTES = 16_000_000
"""What runs between two blocks of the reference leaves nothing of it in the caches of a core."""

MOST_INTERRUPTED = 0.05
MOST_SPREAD = 0.02
MOST_BUSY = 0.25
"""The machine is quiet if other work takes less than this share of its cores."""


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """A call of the reference network, with its own latency when the machine is quiet; None if that is not known."""

    call: Callable[[], object]
    quiet: Quiet | None = None

    def __call__(self) -> object:
        """Run the network once."""
        return self.call()


@dataclasses.dataclass(frozen=True, slots=True)
class Calibration:
    """A measurement of the reference network.

    Attributes:
        ms: Milliseconds of one call.
        noise: Why the machine was not quiet meanwhile; empty if it was.
        measured: When this was.
    """

    ms: float
    noise: str
    measured: str

    @property
    def quiet(self) -> Quiet:
        """The latency, and whether the machine was quiet."""
        return Quiet(self.ms, is_quiet=not self.noise)


def make_reference(*, threads: int, device: str) -> Reference:
    """Return the reference network with its own latency, which is measured if this machine does not know it."""
    call = reference_call(device)
    known = known_calibration(threads=threads, device=device)
    if known is None or known.noise:
        known = better(known, calibrate(call, threads=threads))
        keep(known, threads=threads, device=device)
    return Reference(call, known.quiet)


def better(known: Calibration | None, new: Calibration) -> Calibration:
    """Return the calibration to use: the new one if it is quiet, or if neither is and it is the faster one."""
    if known is None or not new.noise:
        return new
    return known if not known.noise or known.ms < new.ms else new


def known_calibration(*, threads: int, device: str) -> Calibration | None:
    """Return what is kept for this machine; None if there is nothing, or what is there makes no sense."""
    kept = read_cached(_name(threads, device)) or {}
    ms, noise, measured = kept.get("ms"), kept.get("noise"), kept.get("measured")
    if not isinstance(ms, float) or not isinstance(noise, str) or not isinstance(measured, str):
        return None
    return Calibration(ms, noise, measured) if math.isfinite(ms) and ms > 0 else None


def keep(calibration: Calibration, *, threads: int, device: str) -> None:
    """Keep a calibration for later searches on this machine."""
    document = {"schema": "denas.reference/1", **dataclasses.asdict(calibration)}
    write_cached(_name(threads, device), {**document, "threads": threads, "device": device})


def calibrate(
    call: Callable[[], object],
    *,
    threads: int,
    stopwatch: Callable[[int], Stopwatch] = Stopwatch,
    busy_seconds: Callable[[], float | None] | None = None,
) -> Calibration:
    """Measure the reference network. This takes less than a second on a quiet machine.

    Args:
        call: Runs the network.
        threads: Threads of one call.
        stopwatch: Makes what times calls.
        busy_seconds: Returns the seconds for which all cores of the machine have worked so far.
    """
    read_busy = busy_seconds or machine_busy_seconds
    junk = bytearray(EVICTED_BYTES)
    values: list[float] = []
    rounds: list[Round] = []
    with pinned_threads(threads):
        call()
        with stopwatch(threads) as watch:
            start, own, busy = watch.now(), _own_seconds(), read_busy()
            for _ in range(BLOCKS):
                # The junk is read, as a network between two blocks of the reference would be.
                junk.count(1)
                is_warm = not watch.time(call).is_interrupted
                block = []
                for _ in range(REFERENCE_ROUNDS):
                    block.append(dataclasses.replace(watch.time(call), is_warm=is_warm))
                    is_warm = not block[-1].is_interrupted
                rounds += block
                if kept := uninterrupted(block):
                    values.append(lower_quartile(kept))
                watch.rest(REST_SECONDS)
            seconds, own, after = watch.now() - start, _own_seconds() - own, read_busy()
    others = 0.0
    if busy is not None and after is not None and seconds > 0:
        others = max(after - busy - own, 0.0) / seconds / (os.cpu_count() or 1)
    noise = _noise(rounds, values, others)
    values = values or [round_.own_ms for round_ in rounds]
    # A machine that is not quiet slows down most blocks.
    ms = lower_quartile(values) if noise else statistics.median(values)
    return Calibration(ms, noise, moment())


def machine_busy_seconds() -> float | None:
    """Return the seconds for which all cores of the machine have worked since it was started; None if unknown."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        ticks = [int(field) for field in fields]
        # user nice system idle iowait irq softirq steal
        return (sum(ticks[:3]) + sum(ticks[5:8])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def reference_call(device: str = "cpu") -> Callable[[], object]:
    """Return a call that runs the reference network once: convolutions, then a block of a transformer."""
    import torch

    network = _network(torch).to(device)
    image = torch.linspace(-1, 1, 3 * 24 * 24).reshape(1, 3, 24, 24).to(device)

    def call() -> object:
        with torch.inference_mode():
            outputs = network(image)
        if device == "cuda":
            torch.cuda.synchronize()
        return outputs

    return call


def _network(torch: Any) -> Any:
    nn = torch.nn

    class Reference(nn.Module):  # type: ignore[misc, name-defined]
        """The kinds of work that most networks do: convolutions, products of matrices, many small operators."""

        def __init__(self) -> None:
            super().__init__()
            layers = [nn.Conv2d(3, 32, 3, padding=1)]
            for _ in range(3):
                layers += [nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1)]
            self.stem = nn.Sequential(*layers, nn.Conv2d(32, 128, 4, stride=4))
            self.norms = nn.ModuleList([nn.LayerNorm(128), nn.LayerNorm(128)])
            self.qkv, self.out = nn.Linear(128, 384), nn.Linear(128, 128)
            self.expand, self.shrink = nn.Linear(128, 512), nn.Linear(512, 128)

        def forward(self, image: Any) -> Any:
            tokens = self.stem(image).flatten(2).transpose(1, 2)
            query, key, value = (
                self.qkv(self.norms[0](tokens)).unflatten(-1, (3, 4, 32)).permute(2, 0, 3, 1, 4)
            )
            weights = (query @ key.transpose(-1, -2) * 32**-0.5).softmax(-1)
            tokens = tokens + self.out((weights @ value).transpose(1, 2).flatten(2))
            return tokens + self.shrink(nn.functional.gelu(self.expand(self.norms[1](tokens))))

    # On the meta device, the network is built without the use of global random generators.
    with torch.device("meta"):
        network = Reference()
    network = network.to_empty(device="cpu").eval()
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_var") or tensor.ndim == 1:
                tensor.fill_(1.0)
            elif tensor.ndim > 1:
                wave = torch.linspace(0, 97, tensor.numel()).sin().reshape(tensor.shape)
                tensor.copy_(wave / tensor[0].numel() ** 0.5)
    return network


def _noise(rounds: list[Round], values: list[float], others: float) -> str:
    share = sum(round_.is_interrupted for round_ in rounds) / len(rounds)
    if share > MOST_INTERRUPTED or not values:
        return f"other work interrupted {share:.0%} of the calls"
    if others > MOST_BUSY:
        return f"other work took {others:.0%} of the cores"
    low, high = median_interval(values)
    spread = (high - low) / 2 / statistics.median(values)
    return f"equal calls differed by ±{spread:.0%}" if spread > MOST_SPREAD else ""


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system


def _name(threads: int, device: str) -> str:
    fingerprint = latency_fingerprint(device=device, threads=threads, reference=VERSION)
    return f"latency/reference-{fingerprint}.json"
