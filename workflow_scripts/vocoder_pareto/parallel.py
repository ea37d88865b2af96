"""Work on many small items in several processes, with a progress bar and one computing thread per process."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Literal, TypeVar

from tqdm import tqdm

from vocoder_pareto.arguments import exit_refused
from vocoder_pareto.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")

# Threads of numerical libraries in each of many processes fight for the cores: 26 times slower, measured.
_THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_work: tuple[Callable, Sequence[Sequence]]  # of a worker process: the function, and all chunks


def map_in_processes(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    processes: int,
    description: str,
    chunk_size: int,
    *,
    start_method: Literal["fork", "spawn"] = "fork",
    unit: str = "clip",
) -> Iterator[Result]:
    """Yield `function(item)` in the order of `items`.

    Args:
        function: a picklable function of a module, or a partial of one.
        items: picklable arguments.
        processes: how many work at once; with 1, or few items, none is started.
        description: label of the progress bar on stderr.
        chunk_size: items that a process takes at a time; few items are not worth one.
        start_method: `fork` starts at once, with all that is imported here. `spawn` imports anew, and limits the
            numerical libraries to one thread, which they must be told before they are imported. PyTorch takes
            `torch.set_num_threads(1)` before a fork.
        unit: what the progress bar calls an item.

    Raises:
        UserError: a process was killed, as by the system when memory runs out.
        Exception: whatever `function` raises.
    """
    chunks = [items[start : start + chunk_size] for start in range(0, len(items), chunk_size)]
    processes = min(processes, len(chunks))
    with tqdm(total=len(items), desc=description, unit=unit, mininterval=1.0) as bar:
        several = processes > 1
        for results in _in_processes(function, chunks, processes, start_method) if several else _here(function, chunks):
            yield from results
            bar.update(len(results))


def _here(function: Callable[[Item], Result], chunks: Sequence[Sequence[Item]]) -> Iterator[list[Result]]:
    for chunk in chunks:
        yield _call_each(function, chunk)


def _in_processes(
    function: Callable[[Item], Result], chunks: Sequence[Sequence[Item]], processes: int, start_method: str
) -> Iterator[list[Result]]:
    context = multiprocessing.get_context(start_method)
    # Processes get all work as they start, and then numbers of chunks: Python 3.11.2, for one, waits for ever if a
    # process is killed while more than the buffer of a pipe (64 KiB) is on its way to it.
    with _single_threaded(), ProcessPoolExecutor(processes, context, _start_worker, (function, chunks)) as executor:
        try:
            yield from executor.map(_call_chunk, range(len(chunks)))
        except BrokenProcessPool as error:
            raise UserError(
                f"one of {processes} worker processes was killed, most often because memory ran out; "
                "rerun with fewer of them (--processes here, --cores of snakemake)"
            ) from error
        finally:
            executor.shutdown(cancel_futures=True)  # and wait, so that nobody speaks after an error is told


def _call_each(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    with exit_refused("code that works in several processes"):
        return [function(item) for item in items]


def _call_chunk(number: int) -> list:
    function, chunks = _work
    return _call_each(function, chunks[number])


def _start_worker(function: Callable, chunks: Sequence[Sequence]) -> None:
    global _work
    _work = function, chunks
    belong_to_parent()


def belong_to_parent() -> None:
    """Leave Ctrl-C to the parent, and end with it: a killed parent cannot tell its workers to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None  # this is a worker

    def end_with_parent() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Environment of processes started here: one thread for each numerical library."""
    before = {name: os.environ.get(name) for name in _THREAD_SETTINGS}
    os.environ.update(dict.fromkeys(_THREAD_SETTINGS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
