"""The report of a run.

`gather` reads a run and computes every number of the report. The result is one document, and `page` only displays it.
"""
