"""The conformance kit: checks that every component can be put to, as test classes and for ``denas check``.

Nothing here needs pytest: the test classes are plain classes, and a check that does not apply raises a
`unittest.SkipTest`, which test runners know. Plugins import the names of the stub.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
