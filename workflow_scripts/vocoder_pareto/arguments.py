"""What the Python interface is given, checked where it comes in: a fault names the argument, its value, and the mend.

Tables and figures take it too, so PyTorch is not imported here.
"""

import numbers
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vocoder_pareto.errors import UserError


def whole_number(value: Any, name: str, least: int) -> int:
    """`value` as a whole number, which may be of NumPy, or a float that is whole.

    Raises:
        UserError: It is none, or below `least`.
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or value != value or value in (float("inf"), float("-inf")) or int(value) != value:
        raise UserError(f"{name}: {value!r} is not allowed; give a whole number, at least {least}")
    if value < least:
        raise UserError(f"{name}: {value!r} is not allowed; must be at least {least}")
    return int(value)


@contextmanager
def exit_refused(what: str) -> Iterator[None]:
    """Refuse that code which is not ours ends the process in this block, which would be silent.

    Raises:
        UserError: It called `sys.exit`, or raised SystemExit; `what` names the code.
    """
    try:
        yield
    except SystemExit as error:
        raise UserError(f"{what} calls sys.exit({error.code!r}), which would end everything; take it out") from error
