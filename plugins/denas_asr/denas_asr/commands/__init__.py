"""Commands that the plugin adds to ``denas``."""
