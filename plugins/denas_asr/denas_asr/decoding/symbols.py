"""The symbols that are no text; those of a vocabulary begin behind them."""

BLANK = 0
"""Nothing is said in a frame; what lies beyond a text, too."""

BOS = 1
"""The beginning of a text, which a decoder reads first and nobody writes."""

EOS = 2
"""The end of a text, as a decoder writes it. CTC never does."""

FIRST = 3
"""The first symbol of the vocabulary."""
