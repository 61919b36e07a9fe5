"""The space ``bench/flexibert``: encoders of text as they were trained in NAS-Bench-BERT."""
