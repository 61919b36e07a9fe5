"""The command line: each command is a few lines on the objects of the core."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from typing import Any

from denas_core.errors import DenasError
from denas_core.system.interrupt import Interruption, stoppable
from denas_core.text import printable

from .standard_output import hold_standard_output, mend_streams

STOPPED = 130
"""Exit code of a command that Ctrl-C ended."""


def main(arguments: list[str] | None = None) -> None:
    """Run ``denas`` and exit with the code that belongs to what happened.

    Every failure is one line on standard error; ``--debug``, or ``DENAS_DEBUG=1``, adds the traceback.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in given or os.environ.get("DENAS_DEBUG", "") not in ("", "0")
    given = [argument for argument in given if argument != "--debug"]
    mend_streams()
    hold_standard_output()
    interruption: Interruption | None = None
    try:
        with stoppable() as interruption:
            code = _run(given, debug)
    except KeyboardInterrupt:  # as the command ends
        code = STOPPED
    if code == STOPPED and interruption:
        code = 128 + interruption.signal_number
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # Full, or nobody reads it any more; Python would complain at exit and take another code.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        # Python's own clean-up would close the connection to the other processes of a training, and may hang there.
        os._exit(code)
    raise SystemExit(code)


def _run(arguments: list[str], debug: bool) -> int:
    try:
        from .app import app

        code: Any = app(args=arguments, prog_name="denas", standalone_mode=False)
        sys.stdout.flush()
        if code == STOPPED:
            # Typer makes a code of it, and says nothing.
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        # The reader (head, a pager) has seen enough; Python would complain again when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _fail("stopped", STOPPED, debug)
    except DenasError as error:
        return _fail(str(error), error.exit_code, debug)
    except MemoryError:
        return _fail("out of memory; lower the batch size or the options of the space", 7, debug)
    except OSError as error:
        return _fail(f"{error.strerror or error}: {error.filename or 'input or output'}", 6, debug)
    except Exception as error:
        if type(error).__name__ == "Abort":
            return _fail("stopped", 130, debug)
        # Typer vendors Click, so its usage errors are known by what they can do.
        if hasattr(error, "format_message"):
            return _fail(f"{error.format_message().rstrip('.')}; see 'denas --help'", 2, debug)
        return _fail(
            f"internal error, please report it: {type(error).__name__}: {error} (--debug shows the traceback)",
            70,
            debug,
        )


def _fail(message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stderr.write(f"error: {printable(message)}\n")
    return code
