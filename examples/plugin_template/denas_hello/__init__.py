"""A plugin for DE-NAS. `denas_hello.plugin` lists its components."""
