"""DE-NAS core: find a compact network for your problem and hardware without training one.

The public names are listed in ``__init__.pyi``. Each is imported when it is first used, so that the command line starts
without torch and pydantic. Importing this package also switches off what other libraries send by themselves, see
`denas_core.system.dependencies`.
"""

from __future__ import annotations

from typing import Any

import lazy_loader

from .system.dependencies import silence_dependencies as _silence_dependencies

_silence_dependencies()
_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name in __all__:
        return _load(name)
    from .errors import did_you_mean

    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{did_you_mean(name, __all__)}")
