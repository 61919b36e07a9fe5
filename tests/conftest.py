"""What all tests share: the toy plugin is installed as far as Python can tell, and Ctrl-C reaches child processes."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

TOY = Path(__file__).parent / "toy"
sys.path.insert(0, str(TOY))

# A shell starts background jobs with SIGINT ignored, which their child processes would inherit.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
