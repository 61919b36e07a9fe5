"""Read images from tables of paths and labels: CSV, TSV and JSON."""
