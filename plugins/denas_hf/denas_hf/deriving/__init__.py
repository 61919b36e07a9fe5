"""Families that are derived from a configuration and its modules, without a table.

1. Keys: the sizes of a configuration are found by their usual names, see `keys`.
2. Growth: the base model is built on the meta device in tiny sizes, one of which differs at a time. How each dimension
   grows says of which sizes it is a multiple. Parameters that appear with another layer belong to a block, see
   `growth`.
3. Units: shapes cannot tell heads from hidden features, or the order in a fused projection. A tiny network in float64
   can: if nothing is read from one head or neuron, exactly its own weights have a gradient of 0, see `silence`.
4. Rules: each dimension becomes a term of a layout; a dimension without an explanation is refused, see `rules`.
5. Checks: with the rules, members in another order give the same outputs, and a smaller network gives those of the
   larger one in which nothing is read from the others. What does not hold is refused, see `checks`.

Networks with stages, such as Swin, and those whose widths are not understood, such as GPT-BigCode, have rules of
another kind: blocks can be left out, and widths stay as they are, see `depth` and `stages`.

The result is a `Family`, as if somebody had written the table. It is a function of the configuration alone.
"""

from __future__ import annotations

from .derivation import derive

__all__ = ["derive"]
