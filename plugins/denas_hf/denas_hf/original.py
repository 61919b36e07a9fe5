"""The original network of a space: its sizes, and the configuration and slices for networks of other sizes."""

from __future__ import annotations

import copy
import dataclasses
import functools
import re
from collections.abc import Mapping
from typing import Any

from denas_core.errors import ConfigError
from denas_core.pretrained import Layout

from .family import Family

_WORD = re.compile(r"[A-Za-z]\w*")
_ENTRY = re.compile(r"(\w+)\[(\d+)\]")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Dimensions:
    """The sizes of a network.

    Attributes:
        layers: Number of layers; of a network of stages, the number of all of them.
        heads: Number of attention heads of a layer.
        hidden: Number of features of a token.
        intermediate: Number of features inside a feed-forward layer.
        stages: Number of layers of each stage; empty if a network has no stages.
    """

    layers: int
    heads: int
    hidden: int
    intermediate: int
    stages: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True, eq=False)
class Original:
    """The original network of a space, which is also its largest network.

    Attributes:
        config: Its configuration; do not change it.
        family: Its family.

    Raises:
        ConfigError: the configuration lacks a size, or its sizes do not fit together.
    """

    config: Any
    family: Family

    def __post_init__(self) -> None:
        sizes = self.dimensions
        head, blocks = self.head_width, self.blocks
        if not self.is_head_free and sizes.heads * head != sizes.hidden:
            raise ConfigError(
                f"{self.family.hidden} {sizes.hidden} is not a multiple of {self.family.heads} {sizes.heads}, as "
                f"{self.family.name} requires"
            )
        for key, part, whole in (
            (self.family.groups, self.groups, sizes.heads),
            (self.family.blocks, blocks, sizes.hidden),
        ):
            if whole % part:
                raise ConfigError(f"{key} {part} does not divide {whole}, as {self.family.name} requires")
        for key, other in self.family.equals.items():
            if _size(self.config, key) != _size(self.config, other):
                raise ConfigError(
                    f"{key} {_size(self.config, key)} differs from {other} {_size(self.config, other)}; networks of "
                    f"{self.family.name} need equal ones here"
                )

    @functools.cached_property
    def dimensions(self) -> Dimensions:
        """The sizes of the original network."""
        return self.dimensions_of(self.config)

    def dimensions_of(self, config: Any) -> Dimensions:
        """Return the sizes of a network of `config`, which must be of the same family."""
        family = self.family
        stages = tuple(_size(config, key) for key in family.stacks.values()) if family.stages else ()
        hidden = _size(config, family.hidden, 1 if stages else None)
        return Dimensions(
            layers=sum(stages) or _size(config, family.layers),
            heads=_size(config, family.heads, 1 if stages else None),
            hidden=hidden,
            intermediate=_size(config, family.intermediate, family.ratio * hidden),
            stages=stages,
        )

    @property
    def is_head_free(self) -> bool:
        """Whether the width of a head is a separate setting, so that any number of heads fits any hidden width."""
        return bool(self.family.head_width)

    @property
    def head_width(self) -> int:
        """Number of features of a head."""
        return _head_width(self.config, self.family, self.dimensions)

    @property
    def groups(self) -> int:
        """Number of heads for keys and values."""
        return _size(self.config, self.family.groups, self.dimensions.heads)

    @property
    def share(self) -> int:
        """Number of heads that use the same keys and values."""
        return self.dimensions.heads // self.groups

    @property
    def blocks(self) -> int:
        """Number of equal parts into which a layer divides the hidden width."""
        return _size(self.config, self.family.blocks, 1)

    @property
    def positions(self) -> int | None:
        """Greatest number of tokens of a text; None if there is no limit."""
        if not self.family.positions:
            return None
        first = getattr(self.config, self.family.first_position, None) if self.family.first_position else -1
        return _size(self.config, self.family.positions) - 1 - (0 if first is None else int(first))

    @property
    def token_types(self) -> bool:
        """Whether a text has several token types."""
        return bool(self.family.token_types) and getattr(self.config, self.family.token_types, 0) > 1

    @functools.cached_property
    def depths(self) -> Mapping[str, int]:
        """Number of blocks in each stack."""
        return {stack: _size(self.config, key) for stack, key in self.family.stacks.items()}

    def depths_of(self, wanted: Dimensions) -> dict[str, int]:
        """Return the number of blocks in each stack of a network of these sizes."""
        if wanted.stages:
            return dict(zip(self.family.stacks, wanted.stages, strict=True))
        layers, full = wanted.layers, self.dimensions.layers
        return {
            stack: max(1, (2 * layers * depth + full) // (2 * full)) for stack, depth in self.depths.items()
        }

    @property
    def is_uniform(self) -> bool:
        """Whether all layers are of one kind."""
        lists = (getattr(self.config, key, None) for key in self.family.lists)
        return all(len(set(entries)) == 1 for entries in lists if entries)

    @functools.cached_property
    def layout(self) -> Layout:
        """The axes of the base model's parameters."""
        terms = {key: "hidden" if self._follows(key) else "_" for key in self.family.follows}
        terms["share"] = str(self.share)
        if self.blocks == 1:
            terms["block"] = "hidden"
        else:
            # The same channels are kept in every block, so that each block keeps its function.
            whole = f"({self.blocks} block)"
            terms = {name: whole if term == "hidden" else term for name, term in terms.items()}
            terms["hidden"] = whole
        rules = {}
        for pattern, rule in self.family.weights.items():
            axes = rule.partition("|")[0]
            rules[pattern] = _WORD.sub(lambda word: terms.get(word[0], word[0]), axes)
        return Layout(rules)

    @functools.cached_property
    def kinds(self) -> Mapping[str, tuple[str, ...]]:
        """The kinds of weights by pattern of names: one kind, several for a fused projection, or none."""
        return {name: tuple(rule.partition("|")[2].split()) for name, rule in self.family.weights.items()}

    @property
    def has_readers(self) -> bool:
        """Whether it is known which projections read heads or neurons, and add to the features of a layer."""
        return any({"attention.out", "ffn.out"} & set(kinds) for kinds in self.kinds.values())

    def sizes(self, config: Any) -> dict[str, int]:
        """Return the size of each axis in a network of `config`."""
        wanted = self.dimensions_of(config)
        sizes = {
            "hidden": wanted.hidden,
            "block": wanted.hidden // self.blocks,
            "heads": wanted.heads,
            "groups": wanted.heads // self.share,
            "heads_whole": wanted.heads,
            "groups_whole": wanted.heads // self.share,
            "head": _head_width(config, self.family, wanted),
            "ffn": wanted.intermediate,
            **{stack: _size(config, key) for stack, key in self.family.stacks.items()},
        }
        return {**sizes, **{name: sizes[axis] for name, axis in self.family.twins.items()}}

    def resized(self, wanted: Dimensions, depths: Mapping[str, int] | None = None) -> Any:
        """Return the configuration of a network of other sizes; all other settings stay the same.

        Args:
            wanted: The sizes.
            depths: Number of blocks in each stack; by default it follows from `wanted`.
        """
        config, family = copy.deepcopy(self.config), self.family
        for stack, key in family.stacks.items():
            _set_size(config, key, (depths or self.depths_of(wanted))[stack])
        _name_stages(config)
        for key in family.lists:
            if getattr(config, key, None) is not None:
                setattr(config, key, list(getattr(config, key))[: _size(config, family.layers)])
        if family.heads:
            setattr(config, family.heads, wanted.heads)
        if family.groups:
            setattr(config, family.groups, wanted.heads // self.share)
        followers = [key for key in family.follows if self._follows(key)]
        if family.hidden:
            setattr(config, family.hidden, wanted.hidden)
        for key in followers:
            if hasattr(config, key):
                setattr(config, key, wanted.hidden)
        if family.intermediate and self.dimensions_of(config).intermediate != wanted.intermediate:
            setattr(config, family.intermediate, wanted.intermediate)
        if family.head_width and _head_width(config, family, self.dimensions_of(config)) != self.head_width:
            setattr(config, family.head_width, self.head_width)
        for key, other in family.equals.items():
            setattr(config, key, getattr(config, other))
        return config

    def _follows(self, key: str) -> bool:
        return bool(_size(self.config, key, self.dimensions.hidden) == self.dimensions.hidden)


def _name_stages(config: Any) -> None:
    """Give a configuration of a backbone as many names of stages as it has layers; the last one is put out."""
    names = getattr(config, "stage_names", None)
    if isinstance(names, list) and isinstance(getattr(config, "num_hidden_layers", None), int):
        config.stage_names = names[: config.num_hidden_layers + 1]
        # The properties without "_" check against the names of the larger network.
        if len(config.stage_names) < len(names) and hasattr(config, "_out_features"):
            config._out_features, config._out_indices = config.stage_names[-1:], [len(config.stage_names) - 1]


def _head_width(config: Any, family: Family, sizes: Dimensions) -> int:
    return _size(config, family.head_width, max(1, sizes.hidden // sizes.heads))


def _size(config: Any, key: str, default: int | None = None) -> int:
    """Return the value of `key` in `config`, or the default; ``depths[2]`` is an entry of a list."""
    if entry := _ENTRY.fullmatch(key):
        entries = getattr(config, entry[1], None) or ()
        value = entries[int(entry[2])] if int(entry[2]) < len(entries) else None
    else:
        value = getattr(config, key, None) if key else None
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"the configuration has {key} {value!r}; it must be a whole number of 1 or more")
    return value


def _set_size(config: Any, key: str, value: int) -> None:
    """Set a key, or an entry of a list, see `_size`."""
    if entry := _ENTRY.fullmatch(key):
        entries = list(getattr(config, entry[1]))
        entries[int(entry[2])] = value
        setattr(config, entry[1], entries)
    else:
        setattr(config, key, value)
