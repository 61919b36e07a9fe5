"""The space ``bench/autoformer``: vision transformers of AutoFormer, and plain ones."""
