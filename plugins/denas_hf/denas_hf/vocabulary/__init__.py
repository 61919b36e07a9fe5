"""Copy a checkpoint with fewer tokens: which ones it keeps, its tokenizer, and its weights."""
