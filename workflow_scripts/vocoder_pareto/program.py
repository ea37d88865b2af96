"""What the command-line programs share: how an error ends them, and how they read what a flag is given.

How flags are named, which tests/unit/test_programs.py holds all programs to: what a program reads is named by what it
is (`--clip-table clips.csv`); what it writes begins with `--output`, and where another program reads it, goes on with
the name there (`--output-clip-table`); settings are `--system` and `--<section>-settings`; counts and limits say so.
What people type is read by `Parser`.
"""

import argparse
import atexit
import gc
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json


def run_program(main: Callable[[], None]) -> NoReturn:
    """Call `main` and end the process; what went wrong is the last that it says.

    A user's mistake is told in one line that begins with `error:`, and so is what the user may not read or write; a bug
    is told by its traceback. The status of all is 1.
    """
    gc.freeze()  # imports stay: to collect them takes a quarter of a second with PyTorch, one with Lightning
    last_words, status = "", 0
    try:
        main()
    except UserError as error:
        status = 1
        last_words = f"error: {error}\n"
    except SystemExit as error:
        place = _place_of_exit(error)
        if place is None:  # argparse has said what it had to
            raise
        status = 1
        last_words = f"error: {place} calls sys.exit({error.code!r}), which ends the program; take it out\n"
    except Exception as error:
        status = 1
        if not (isinstance(error, BrokenPipeError) and _reader_has_left()):
            last_words = _whose_file(error) or traceback.format_exc()
    # The exception is gone now, and with it what it held, such as pools of processes.
    _end(status, last_words)


def _whose_file(error: Exception) -> str | None:
    """What to say of a file that belongs to somebody else; None for any other error."""
    if not isinstance(error, PermissionError) or error.filename is None:
        return None
    files = " or ".join(str(file) for file in (error.filename, error.filename2) if file is not None)
    return f"error: {files}: {error.strerror}; see whose it is\n"


def _place_of_exit(error: SystemExit) -> str | None:
    """The file and line of code that is not ours which ended the program; None if argparse did."""
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    file = frame.f_code.co_filename
    return None if Path(file) == Path(argparse.__file__) else f"{file}, line {line},"


def _reader_has_left() -> bool:
    """Whether nobody reads what the program prints any more, as after `| head`."""
    try:
        sys.stdout.write("\n")  # what failed before may be gone from the buffer
        sys.stdout.flush()
    except BrokenPipeError:
        return True
    return False


def _end(status: int, last_words: str) -> NoReturn:
    """End the process as Python does, in its order, but for the teardown of modules.

    There, extension modules complain of what still lives (soxr of its resamplers), in a page below the error.
    """
    gc.collect()
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, and lets pools send their workers home
    atexit._run_exitfuncs()  # among them that of multiprocessing, which ends the processes that still run
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        pass
    except OSError as error:  # what was printed last is lost, on a full disk, say
        status, last_words = 1, last_words or f"error: standard output: {error.strerror}; see where it goes\n"
    with suppress(BrokenPipeError):
        sys.stderr.write(last_words)
        sys.stderr.flush()
    os._exit(status)


class Parser(argparse.ArgumentParser):
    """What reads a command line that people type: an option that stands twice is refused, where the last would win."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.given: set[str] = set()
        for name in (None, "store"):
            self.register("action", name, _StoredOnce)

    def parse_known_args(self, *arguments: Any, **options: Any) -> Any:
        """See `argparse.ArgumentParser`."""
        self.given = set()
        return super().parse_known_args(*arguments, **options)


class _StoredOnce(argparse.Action):
    """Stores what an option is given, once."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        if option is not None and isinstance(parser, Parser):
            if self.dest in parser.given:
                raise argparse.ArgumentError(self, "stands twice; give it once")
            parser.given.add(self.dest)
        setattr(namespace, self.dest, values)


def json_or_file(text: str) -> Any:
    """An argparse type for settings: JSON given inline, or `@path` of a JSON file.

    Raises:
        ValueError: not valid JSON, which argparse reports with the flag's name.
        UserError: `@path` cannot be read.
    """
    if text.startswith("@"):
        return read_json(Path(text[1:]))
    return json.loads(text)


def texts_by_name(text: str) -> dict[str, str]:
    """An argparse type: a JSON object of texts such as `{"melgan": "MelGAN"}`, inline or as `@path`.

    Raises:
        ValueError: not such an object, which argparse reports with the flag's name.
        UserError: `@path` cannot be read.
    """
    texts = json_or_file(text)
    if not isinstance(texts, dict) or not all(isinstance(each, str) for each in texts.values()):
        raise ValueError(f"{text} is no JSON object of texts")
    return texts


def int_or_null(text: str) -> int | None:
    """An argparse type: a whole number, or `null`, as configuration files say that there is none.

    Raises:
        ValueError: neither, which argparse reports with the flag's name.
    """
    return None if text == "null" else int(text)


def float_or_null(text: str) -> float | None:
    """An argparse type: a number, or `null`.

    Raises:
        ValueError: neither, which argparse reports with the flag's name.
    """
    return None if text == "null" else float(text)
