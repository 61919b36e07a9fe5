"""How far a search, a training or a race is: the lines that describe it, and the bars that show it."""
