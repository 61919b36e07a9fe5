"""Heads that a task puts elsewhere than on the pooled features of a network."""

from __future__ import annotations

from torch import nn


class PositionHead(nn.Linear):
    """A linear head that is applied to every position, for example for the start and end scores of each token.

    Any other head of a task is applied to the pooled features of the network, or to its features if it does not pool.
    If the networks of a space have their own heads for a kind of task, as those of transformers do, the space may use
    its own head instead, with the same number of outputs.
    """


class NextTokenHead(nn.Linear):
    """A linear head with a score for each token of the vocabulary, for the token that follows each position of a text.

    A position must see only itself and the positions before it. A space whose networks see the whole text does not
    apply this head to every position: it treats it as any other head, and tasks recognise from the shape of the outputs
    that the networks are not language models. Networks that have such a head of their own, which may share the weights
    of their embeddings, use it instead.
    """


class TargetTokenHead(nn.Linear):
    """A linear head with a score for each token of the vocabulary, for each position of a text that is written.

    This text is the input ``target_ids``. The scores of a position are for the token of this position; they follow from
    the text that is read and from the tokens of the written text before this position. If a batch lacks the input, the
    networks take the text that is read instead.
    """
