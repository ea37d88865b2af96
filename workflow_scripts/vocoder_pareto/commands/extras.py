"""What a command needs that is not part of the core: the extras of the package."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager

from vocoder_pareto.errors import UserError


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Within this context, a package that is not installed ends the command with the extra that brings it.

    Raises:
        UserError: A package of others could not be found.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if importlib.util.find_spec(name or "vocoder_pareto") is not None:
            raise
        raise UserError(
            f'package {name} is not installed, which this command needs; pip install "vocoder-pareto[{extra}]"'
        ) from error
