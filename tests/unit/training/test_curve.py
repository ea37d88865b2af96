import csv

import pytest

from vocoder_pareto.training.curve import TrainingCurve, copy_curve


def row(step, **values):
    return {"step": step, "epoch": step / 2, "seconds": 0.1 * step, "joules": None, "learning_rate": 1e-4, **values}


def rows_of(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def write(folder, *rows, step=0):
    curve = TrainingCurve(folder, step)
    for each in rows:
        curve.add(each)
    curve.close()


def test_what_is_unknown_is_an_empty_cell_and_not_zero(tmp_path):
    write(tmp_path, row(1, loss=0.25))
    (only,) = rows_of(tmp_path)
    assert (only["joules"], only["d_stft"], only["loss"]) == ("", "", "0.25")


def test_a_new_loss_becomes_a_column_that_is_empty_before(tmp_path):
    write(tmp_path, row(1, loss=1.0), row(2, loss=2.0, other=3.0), row(3, loss=4.0))
    assert [each["other"] for each in rows_of(tmp_path)] == ["", "3", ""]


def test_rows_of_a_lost_piece_are_dropped_when_it_is_resumed(tmp_path):
    write(tmp_path, *(row(step, loss=1.0) for step in range(1, 6)))
    write(tmp_path, row(4, loss=2.0), step=3)
    assert [(each["step"], each["loss"]) for each in rows_of(tmp_path)] == [
        ("1", "1"),
        ("2", "1"),
        ("3", "1"),
        ("4", "2"),
    ]


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_row_that_was_cut_short_is_dropped(tmp_path, cut):
    write(tmp_path, row(1, loss=1.0), row(12345, loss=0.123456))
    path = tmp_path / "metrics.csv"
    path.write_text(path.read_text()[:-cut])
    write(tmp_path, step=20000)
    assert [each["step"] for each in rows_of(tmp_path)] == ["1"]


def test_a_large_step_keeps_all_its_digits(tmp_path):
    write(tmp_path, row(1234567890, loss=1.0))
    assert rows_of(tmp_path)[0]["step"] == "1234567890"


def test_the_copy_is_the_curve(tmp_path):
    write(tmp_path, row(1, loss=1.0))
    copy_curve(tmp_path, tmp_path / "out" / "metrics.csv")
    assert (tmp_path / "out" / "metrics.csv").read_text() == (tmp_path / "metrics.csv").read_text()
