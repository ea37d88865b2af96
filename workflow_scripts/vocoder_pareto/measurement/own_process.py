"""A call in a process of its own, so that neither memory, caches nor threads of earlier calls count."""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from typing import Any, ParamSpec, TypeVar

from vocoder_pareto.arguments import exit_refused
from vocoder_pareto.errors import UserError
from vocoder_pareto.parallel import belong_to_parent


class ProcessEndedError(UserError):
    """A process was ended before it had its result: by the system, or since it took too long."""


Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# A fork has imported everything already. Elsewhere than on Linux system libraries do not survive it.
START_METHOD = "fork" if sys.platform == "linux" else "spawn"


def in_own_process(
    function: Callable[Arguments, Result], *arguments: Arguments.args, **keywords: Arguments.kwargs
) -> Result:
    """Call a function of a module in a new process, whose parent has not computed with PyTorch yet.

    Raises:
        UserError: as `function` raises it, without its subclass; or the process could not be started, or was killed.
        Exception: whatever else `function` raises.
    """
    return _in_own_process(None, function, arguments, keywords)


def in_own_process_within(
    seconds: float, function: Callable[Arguments, Result], *arguments: Arguments.args, **keywords: Arguments.kwargs
) -> Result:
    """The same for no longer than `seconds`: then the process is killed.

    Raises:
        ProcessEndedError: The time was over.
        UserError: as for `in_own_process`.
        Exception: whatever else `function` raises.
    """
    return _in_own_process(seconds, function, arguments, keywords)


def _in_own_process(
    seconds: float | None, function: Callable[..., Result], arguments: tuple, keywords: dict[str, Any]
) -> Result:
    others = active_children()
    with ProcessPoolExecutor(1, get_context(START_METHOD), belong_to_parent) as process:
        try:
            called = process.submit(_called, function, arguments, keywords)
        except OSError as error:
            raise UserError(
                f"no process could be started to measure in ({error.strerror}); end other programs, or raise the "
                "limit of processes (ulimit -u) or of memory"
            ) from error
        try:
            return called.result(seconds)
        except TimeoutError as error:
            if seconds is None or called.done():  # of the function itself
                raise
            for child in set(active_children()) - set(others):
                child.kill()
            raise ProcessEndedError(f"the process was not done after {seconds / 60:g} minutes") from error
        except KeyboardInterrupt:
            for child in active_children():  # which leaves Ctrl-C to this process, and would measure to its end
                child.terminate()
            raise
        except BrokenProcessPool as error:
            raise ProcessEndedError(
                "the process that measures was killed, most often because memory ran out; "
                "lower energy.batch_size or energy.clip_seconds, or end other programs"
            ) from error


def _called(function: Callable[..., Any], arguments: tuple, keywords: dict) -> Any:
    try:
        with exit_refused("code that is measured"):
            return function(*arguments, **keywords)
    except UserError as error:  # whose subclasses do not all survive the way to the parent
        raise UserError(str(error)) from None
