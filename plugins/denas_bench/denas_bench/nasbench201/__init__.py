"""The space ``bench/nasbench201``: cells of NAS-Bench-201."""
