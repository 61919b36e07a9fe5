"""Readers of tables of texts: CSV, JSON, Parquet, and folders of the library datasets. All of them return `Records`."""
