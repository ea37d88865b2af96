"""The training curve: metrics.csv and TensorBoard, both continued without a seam after a resume."""

from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from vocoder_pareto.files import bring_to_disk, written_whole
from vocoder_pareto.tables.csv_files import csv_line, parse_csv, write_csv

FIRST_COLUMNS = ("step", "epoch", "seconds", "joules", "watts_per_core", "learning_rate", "d_stft", "estoi")


class TrainingCurve:
    """Rows of losses and distances by step, in `metrics.csv` and `tensorboard/` of a state folder.

    Args:
        folder: The folder of the state.
        step: The step to go on from; later rows, of a piece that was lost, are dropped.

    Raises:
        OSError: The disk is full or not writable; the methods raise it too.
    """

    def __init__(self, folder: Path, step: int):
        self.path = folder / "metrics.csv"
        self.rows = [row for row in self._saved() if int(row["step"]) <= step]
        self._rewrite()
        self._tensorboard = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def add(self, row: Mapping[str, float | int | None]) -> None:
        """Add a row; a value that is None leaves its cell empty."""
        shown = {name: "" if value is None else f"{value:.8g}" for name, value in row.items()}
        shown["step"] = str(row["step"])
        self.rows.append(shown)
        if set(shown) <= set(self._columns):
            with self.path.open("a", newline="", encoding="utf-8") as file:
                file.write(csv_line(shown.get(name) for name in self._columns))
        else:
            self._rewrite()
        for name, value in row.items():
            if value is not None and name != "step":
                self._tensorboard.add_scalar(name, value, int(shown["step"]))

    def sync(self) -> None:
        """Bring all rows to the disk, before a state is saved that goes on from them."""
        with self.path.open("a", encoding="utf-8") as file:
            bring_to_disk(file.fileno())

    def close(self) -> None:
        """Write what TensorBoard still holds."""
        self._tensorboard.close()

    def _saved(self) -> list[dict[str, str]]:
        if not self.path.exists():
            return []
        # A full disk can cut the last row short, and a machine that goes down can leave rows of zeros behind the last
        # state. All cells are numbers, so that none is quoted.
        whole, _, _ = self.path.read_text(encoding="utf-8", errors="replace").rpartition("\n")
        header, _, rows = whole.partition("\n")
        columns = parse_csv(header, str(self.path)).columns if header else ()
        cells = [row.split(",") for row in rows.split("\n")]
        return [dict(zip(columns, row, strict=True)) for row in cells if _is_whole(row, len(columns))]

    def _rewrite(self) -> None:
        self._columns = list(dict.fromkeys([*FIRST_COLUMNS, *(name for row in self.rows for name in row)]))
        write_csv(self.path, self._columns, ([row.get(name) for name in self._columns] for row in self.rows))


def _is_whole(row: list[str], width: int) -> bool:
    return len(row) == width and row[0].isdecimal()


def copy_curve(folder: Path, path: str | Path) -> None:
    """Write the curve in the state `folder` to `path`."""
    with written_whole(path) as temporary:
        temporary.write_bytes((folder / "metrics.csv").read_bytes())
