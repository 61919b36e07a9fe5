"""What libraries write by themselves is switched off, unless the user has set it."""

from __future__ import annotations

import logging

import pytest

from denas_core.system.dependencies import LOGGERS, silence_dependencies


@pytest.mark.parametrize("name", LOGGERS)
def test_warnings_of_libraries_that_others_import_are_not_shown(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger(name)
    for level, expected in ((logging.NOTSET, logging.ERROR), (logging.DEBUG, logging.DEBUG)):
        monkeypatch.setattr(logger, "level", level)
        silence_dependencies()
        assert logger.level == expected
