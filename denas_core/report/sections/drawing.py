"""The blocks of a network with type, shape of the output, parameters and FLOPs.

The network is built and run on the meta device, so nothing is computed or allocated. This works for any space.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from denas_core.contracts.space import SearchSpace
    from denas_core.values.architecture import Architecture

ENOUGH_BLOCKS = 6
MOST_BLOCKS = 64
LARGE_SHARE = 0.3
"""A block with more than this share of the FLOPs is replaced by its parts if there are fewer than `ENOUGH_BLOCKS`."""


def draw(space: SearchSpace, arch: Architecture) -> dict[str, Any]:
    """Return the blocks of `arch` in the order in which they run.

    Containers that are never called, such as lists of layers, are replaced by their parts. So is the block with most
    FLOPs while there are few blocks. Neighbours that differ only in their names become one row with a count.

    Returns:
        ``params``, ``flops`` and ``blocks``: rows with ``name``, ``last`` (name of the last of equal blocks),
        ``count``, ``type``, ``of`` (number of children by type, if all have the same type), ``holds`` (number of layers
        by type), ``shape`` (of the output for one sample; None if it is not a tensor), ``params`` and ``flops`` (of all
        `count` blocks together).
    """
    # This comes first, so that a space without networks fails before torch is loaded.
    batch = space.batch(1, seed=0, kind="cost")
    import torch

    from denas_core.networks.cost import CostCounter

    shapes: dict[str, list[int] | None] = {}
    flops: dict[str, int] = {}
    before: list[int] = []
    places: dict[str, int] = {}
    with torch.device("meta"), torch.no_grad():
        model = space.build(arch).eval()
        names = {module: name for name, module in model.named_modules()}
        counter = CostCounter([*batch.inputs.values(), *model.parameters(), *model.buffers()])

        def enter(module: nn.Module, inputs: Any) -> None:
            places.setdefault(names[module], len(places))
            before.append(counter.usage.flops)

        def leave(module: nn.Module, inputs: Any, output: Any) -> None:
            name = names[module]
            # A module may be called several times.
            flops[name] = flops.get(name, 0) + counter.usage.flops - before.pop()
            shapes.setdefault(name, _shape(output))

        for module in names:
            module.register_forward_pre_hook(enter)
            module.register_forward_hook(leave)
        with counter:
            space.forward(model, batch)
    total = counter.usage.flops
    chosen = _choose(model, names, shapes, flops, total)
    chosen.sort(key=lambda module: places.get(names[module], len(places)))
    rows = [_row(module, names[module], shapes, flops) for module in chosen]
    params = sum(parameter.numel() for parameter in model.parameters())
    return {"params": params, "flops": total, "blocks": _merge_equal(rows)[:MOST_BLOCKS]}


def _choose(
    model: nn.Module,
    names: dict[nn.Module, str],
    shapes: dict[str, list[int] | None],
    flops: dict[str, int],
    total: int,
) -> list[nn.Module]:
    chosen = list(model.children()) or [model]
    while True:
        closed = [m for m in chosen if names[m] not in shapes and any(True for _ in m.children())]
        if not closed and len(chosen) < ENOUGH_BLOCKS:
            large = [
                m
                for m in chosen
                if flops.get(names[m], 0) > LARGE_SHARE * total and any(True for _ in m.children())
            ]
            closed = sorted(large, key=lambda m: -flops[names[m]])[:1]
        if not closed:
            # A module without parameters that is never called is left out.
            return [m for m in chosen if names[m] in shapes or any(True for _ in m.parameters())]
        place = chosen.index(closed[0])
        known = {id(m) for m in chosen}
        chosen[place : place + 1] = [m for m in closed[0].children() if id(m) not in known]


def _row(
    module: nn.Module, name: str, shapes: dict[str, list[int] | None], flops: dict[str, int]
) -> dict[str, Any]:
    leaves = Counter(type(m).__name__ for m in module.modules() if not any(True for _ in m.children()))
    leaves.pop(type(module).__name__, None)
    children = Counter(type(child).__name__ for child in module.children())
    return {
        "name": name or "network",
        "last": name or "network",
        "count": 1,
        "type": type(module).__name__,
        "of": dict(children) if len(children) == 1 else {},
        "holds": dict(leaves.most_common(6)),
        "shape": shapes.get(name),
        "params": sum(parameter.numel() for parameter in module.parameters()),
        "flops": flops.get(name, 0),
    }


def _merge_equal(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    merged: list[dict[str, Any]] = []
    for row in rows:
        before = merged[-1] if merged else None
        if (
            before is not None
            and all(before[name] == row[name] for name in ("type", "holds", "shape"))
            and (before["params"], before["flops"])
            == (
                row["params"] * before["count"],
                row["flops"] * before["count"],
            )
        ):
            before["last"] = row["name"]
            before["count"] += 1
            before["params"] += row["params"]
            before["flops"] += row["flops"]
        else:
            merged.append(row)
    return merged


def _shape(output: Any) -> list[int] | None:
    from torch import Tensor

    if isinstance(output, Tensor):
        return list(output.shape[1:])
    values = output.values() if isinstance(output, dict) else output
    if isinstance(output, (tuple, list, dict)):
        return next((list(value.shape[1:]) for value in values if isinstance(value, Tensor)), None)
    return None
