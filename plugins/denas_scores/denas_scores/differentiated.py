"""The weights that a score may look at: those of a role that its pass has differentiated by."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

from denas_core import ScoreFailed

if TYPE_CHECKING:
    from denas_core import Candidate, WeightView


def attention_views(candidate: Candidate, trainable: Container[str]) -> list[WeightView]:
    """Return the projections of attention whose parameters are among `trainable`.

    Raises:
        ScoreFailed: there is none, or all are frozen.
    """
    try:
        return views_of_roles(candidate, ("attention",), trainable)
    except ScoreFailed as error:
        raise ScoreFailed("no trainable attention projection") from error


def views_of_roles(candidate: Candidate, roles: Iterable[str], trainable: Container[str]) -> list[WeightView]:
    """Return the weights that have one of `roles` and whose parameters are among `trainable`.

    Raises:
        ScoreFailed: there is none, or all are frozen.
    """
    roles = tuple(roles)
    views = [view for view in candidate.views() if any(map(view.has_role, roles))]
    views = [view for view in views if view.parameter in trainable]
    if not views:
        raise ScoreFailed(f"no trainable weight is {' or '.join(roles)}")
    return views
