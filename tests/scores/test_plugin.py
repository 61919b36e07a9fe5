"""The plugin is light to import."""

from __future__ import annotations

import subprocess
import sys


def test_naming_the_scores_and_reading_their_options_loads_no_torch() -> None:
    code = "import sys, denas_scores.plugin, denas_scores.de_score; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=300).returncode == 0
