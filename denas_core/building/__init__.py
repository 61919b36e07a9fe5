"""From data to a model in use: the steps that a careful person would take, one after the other."""
