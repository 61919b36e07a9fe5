"""Tasks of GLUE on sentences and pairs of them (Wang et al. 2018, arXiv:1804.07461)."""
