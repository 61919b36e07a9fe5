"""What all tests share: an installed toy plugin, a Ctrl-C that reaches child processes, examples that may be slow."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

TOY = Path(__file__).parent / "toy"
sys.path.insert(0, str(TOY))

# A shell starts background jobs with SIGINT ignored, which their child processes would inherit.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine makes an example slow, which is no defect. What else the profile says, such as that of CI, stays.
settings.register_profile(
    "unhurried", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")
