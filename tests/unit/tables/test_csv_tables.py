"""Columns of tables in their kinds, written and read again, and against pandas, which reads what is plain as well."""

import io

import numpy as np
import pandas as pd
import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.tables.csv_tables import read_table, write_table

KINDS = {"name": "text", "value": "number", "count": "integer", "flag": "flag"}


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "name": pd.Series(["a", "NA", "", '=1+"x",'], dtype="str"),
            "value": [0.1, -2.5e-7, np.nan, 123456789.0],
            "count": pd.Series([1, None, 2**40, -3], dtype="Int64"),
            "flag": pd.Series([True, False, None, True], dtype="boolean"),
        }
    )


def test_a_table_survives_being_written_and_read(table, tmp_path):
    write_table(table, tmp_path / "table.csv")
    pd.testing.assert_frame_equal(read_table(tmp_path / "table.csv", KINDS), table)


def test_what_is_plain_is_written_as_pandas_writes_it(table, tmp_path):
    plain = table.iloc[[0, 2, 3]].assign(name=["a", "b c", 'd "e", f'])
    write_table(plain, tmp_path / "table.csv")
    expected = plain.assign(flag=["true", None, "true"]).to_csv(index=False, lineterminator="\n", float_format="%.10g")
    assert (tmp_path / "table.csv").read_text() == expected
    again = pd.read_csv(io.StringIO(expected))
    assert read_table(tmp_path / "table.csv", KINDS)["value"].tolist()[::2] == again["value"].tolist()[::2]


def test_columns_that_are_not_asked_for_are_left_and_missing_ones_named(table, tmp_path):
    write_table(table, tmp_path / "table.csv")
    assert list(read_table(tmp_path / "table.csv", {"value": "number"})) == ["value"]
    found = read_table(tmp_path / "table.csv", {"value": "number", "other": "text"}, required=["value"])
    assert list(found) == ["value"]
    with pytest.raises(UserError, match="column 'other' is missing; it has name, value, count, flag"):
        read_table(tmp_path / "table.csv", {"other": "text"})


def test_a_table_without_rows_keeps_its_columns(tmp_path):
    write_table(pd.DataFrame({name: [] for name in KINDS}), tmp_path / "table.csv")
    found = read_table(tmp_path / "table.csv", KINDS)
    assert (list(found), len(found)) == (list(KINDS), 0)
    assert [str(dtype) for dtype in found.dtypes] == ["str", "float64", "Int64", "boolean"]
