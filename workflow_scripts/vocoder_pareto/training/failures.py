"""What the errors that PyTorch and the disk raise in the middle of a training mean to its user."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vocoder_pareto.device_memory import is_out_of_memory
from vocoder_pareto.errors import UserError, first_line


@contextmanager
def failures_explained(folder: Path, batch_size: int, workers: int) -> Iterator[None]:
    """Turn errors of the block whose cause a user can mend into a `UserError`; others pass as they are.

    Args:
        folder: The folder that the training writes to.
        batch_size: The number of clips per step.
        workers: The number of processes that load data.

    Raises:
        UserError: The memory is exhausted, a process that loads data died, or the folder cannot be written.
    """
    try:
        yield
    except (RuntimeError, MemoryError, ConnectionError, EOFError) as error:
        explanation = _explanation(error, batch_size, workers)
        if explanation is None:
            raise
        raise UserError(explanation) from error
    except OSError as error:
        raise UserError(
            f"{folder}: cannot be written ({error.strerror or error}); free space or mend permissions, then run again "
            "to resume from the last state"
        ) from error


def _explanation(error: Exception, batch_size: int, workers: int) -> str | None:
    if is_out_of_memory(error):
        return (
            f"out of memory with batches of {batch_size} clips; lower training.batch_size or set "
            "training.segment_frames (which starts afresh), or take the device that the training began on "
            f"({first_line(error)})"
        )
    # PyTorch tells of its death, or the connection breaks if a batch was on its way.
    if isinstance(error, ConnectionError | EOFError) or "DataLoader worker" in str(error):
        return (
            f"a process that loads data died ({first_line(error)}); lower training.workers (now {workers}) if memory "
            "is short, then run again to resume"
        )
    return None
