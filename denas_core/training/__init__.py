"""Training of architectures: one engine for every domain, based on `transformers.Trainer`."""
