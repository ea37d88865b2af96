"""What the command-line programs share: how an error ends them, and how they take settings."""

import gc
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json


def run(main: Callable[[], None]) -> None:
    """Call `main`; a user's mistake ends with one line on stderr and status 1, a bug keeps its traceback."""
    gc.freeze()  # imports stay: to collect them at the end takes a quarter of a second with PyTorch, one with Lightning
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


def json_or_file(text: str) -> Any:
    """An argparse type: JSON given inline, or `@path` of a JSON file.

    Raises:
        ValueError: not valid JSON, which argparse reports with the option's name.
        UserError: `@path` cannot be read.
    """
    if text.startswith("@"):
        return read_json(Path(text[1:]))
    return json.loads(text)
