"""What the command-line programs share: how an error ends them, and how they read what a flag is given.

How flags are named, which tests/unit/test_programs.py holds all programs to: what a program reads is named by what it
is (`--clip-table clips.csv`); what it writes begins with `--output`, and where another program reads it, goes on with
the name there (`--output-clip-table`); settings are `--system` and `--<section>-settings`; counts and limits say so.
"""

import gc
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json


def run_program(main: Callable[[], None]) -> None:
    """Call `main`; a user's mistake ends with one line on stderr and status 1, a bug keeps its traceback."""
    gc.freeze()  # imports stay: to collect them at the end takes a quarter of a second with PyTorch, one with Lightning
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


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
