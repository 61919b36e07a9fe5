"""The report of a run: everything is gathered into one plain document, and the document is shown.

`gather` reads a run and works out every number; `html`, `terminal` and `table` only show what the document holds.
"""
