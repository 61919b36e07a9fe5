"""A plugin for DE-NAS; `denas_hello.plugin` says what it brings."""
