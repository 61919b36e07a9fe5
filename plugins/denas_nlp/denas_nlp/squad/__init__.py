"""SQuAD v1.1: answer questions with a part of a paragraph (Rajpurkar et al. 2016, arXiv:1606.05250)."""
