import pytest

from vocoder_pareto.errors import first_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one line"), "one line"),
        (RuntimeError("the first\nand the second"), "the first"),
        (EOFError(), "EOFError"),
        (RuntimeError("\nafter an empty line"), "RuntimeError"),
    ],
)
def test_an_error_is_told_in_one_line_and_never_in_none(error, line):
    assert first_line(error) == line
