"""``python -m denas_core.cli``: the ``denas`` command where a module is wanted, as torchrun does."""

from . import main

main()
