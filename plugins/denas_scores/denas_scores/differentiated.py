"""The weights that a score may look at: those of a role that its pass has differentiated by."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

from denas_core import ScoreFailed

if TYPE_CHECKING:
    from denas_core import Candidate, Trace, WeightView


def attention_views(candidate: Candidate, trainable: Container[str]) -> list[WeightView]:
    """Return the projections of attention whose parameters are among `trainable`.

    Raises:
        ScoreFailed: there is none, or all are frozen.
    """
    views = [view for view in candidate.views() if view.is_attention and view.parameter in trainable]
    if not views:
        raise ScoreFailed("no trainable attention projection")
    return views


def feed_forward_views(candidate: Candidate, trace: Trace) -> list[WeightView]:
    """Return the convolutions, feed-forward layers and heads that `trace` has gradients of.

    Raises:
        ScoreFailed: there is none, or all are frozen.
    """
    views = [view for view in candidate.views() if view.is_feed_forward and view.parameter in trace.gradients]
    if not views:
        raise ScoreFailed("no trainable convolution, feed-forward or head weight")
    return views
