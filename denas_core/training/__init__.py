"""Training of found architectures: one engine for every domain, on `transformers.Trainer`."""
