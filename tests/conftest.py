"""What all tests share: the toy plugin is installed as far as Python can tell."""

from __future__ import annotations

import sys
from pathlib import Path

TOY = Path(__file__).parent / "toy"
sys.path.insert(0, str(TOY))
