"""Questions about paragraphs, answered by a part of them: SQuAD v1.1 (Rajpurkar et al. 2016, arXiv:1606.05250)."""
