"""The special symbols, which stand for no text; the vocabulary's own symbols come after them."""

BLANK = 0
"""The blank of CTC: a frame without a symbol. It is also the padding behind a text."""

BOS = 1
"""The beginning of a text: the decoder reads it first and never writes it."""

EOS = 2
"""The end of a text: the attention decoder writes it, CTC never does."""

FIRST = 3
"""The first symbol of the vocabulary that stands for text."""
