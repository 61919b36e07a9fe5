"""The command line: each command calls the objects of the core and prints what they return."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

from denas_core.errors import ConfigError, DenasError
from denas_core.system.interrupt import Interruption, stoppable
from denas_core.text import printable

from .output import print_notice
from .standard_output import hold_standard_output, make_streams_printable

STOPPED = 130
"""Exit code of a command that Ctrl-C has ended."""


def main(arguments: list[str] | None = None) -> None:
    """Run ``denas`` and exit with the code that describes the outcome.

    Every failure is one line on standard error. ``--debug`` or ``DENAS_DEBUG=1`` adds the traceback.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in given or os.environ.get("DENAS_DEBUG", "") not in ("", "0")
    given = [argument for argument in given if argument != "--debug"]
    make_streams_printable()
    hold_standard_output()
    interruption: Interruption | None = None
    try:
        with stoppable() as interruption:
            code = _run(given, debug)
    except KeyboardInterrupt:  # while the command was ending
        code = STOPPED
    if code == STOPPED and interruption:
        code = 128 + interruption.signal_number
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # The disk is full or the reader has gone. Python would complain at exit and change the exit code.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        # Python's own clean-up would close the connection to the other processes of a training, and may hang there.
        os._exit(code)
    raise SystemExit(code)


def _run(arguments: list[str], debug: bool) -> int:
    try:
        _check_text(arguments)
        from .app import app

        code: Any = app(args=arguments, prog_name="denas", standalone_mode=False)
        sys.stdout.flush()
        if code == STOPPED:
            # Typer turns Ctrl-C into this code and prints nothing.
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        return _reader_has_gone()
    except SystemExit as ended:
        # Typer ends with 1 if the output of a command breaks a pipe.
        if isinstance(ended.__context__, BrokenPipeError):
            return _reader_has_gone()
        raise
    except KeyboardInterrupt:
        return _fail("stopped", STOPPED, debug)
    except DenasError as error:
        for notice in error.notices:
            print_notice(f"note: {printable(notice)}")
        return _fail(str(error), error.exit_code, debug)
    except MemoryError:
        return _fail("out of memory; lower the batch size or the options of the space", 7, debug)
    except OSError as error:
        return _fail(f"{error.strerror or error}: {error.filename or 'input or output'}", 6, debug)
    except Exception as error:
        if type(error).__name__ == "Abort":
            return _fail("stopped", STOPPED, debug)
        # Typer has its own copy of Click, so an error of usage is recognised by its method.
        if hasattr(error, "format_message"):
            return _fail_usage(error, debug)
        return _fail(
            f"internal error, please report it: {type(error).__name__}: {error} (--debug shows the traceback)",
            70,
            debug,
        )


def _reader_has_gone() -> int:
    """Return the exit code where the reader of the output, such as head or a pager, has ended."""
    # Python would complain again when it closes standard output.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _check_text(arguments: list[str]) -> None:
    """Refuse arguments that a run could not write down: its files are UTF-8.

    Raises:
        ConfigError: names the argument.
    """
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            name = ascii(os.fsencode(argument))[1:]
            raise ConfigError(f"argument {name} is not UTF-8 text; rename the file or folder") from None


def _fail_usage(error: Any, debug: bool) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        # A command without arguments asks for help, as with git, docker and cargo.
        sys.stdout.write(f"{error.format_message()}\n")
        sys.stdout.flush()
        return 0
    command = context.command_path if context is not None else "denas"
    return _fail(f"{error.format_message().rstrip('.')}; see '{command} --help'", 2, debug)


def _fail(message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print_notice(f"error: {printable(message)}")
    return code
