from dataclasses import dataclass
from typing import Literal

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.settings import settings_from


@dataclass(frozen=True)
class Example:
    channels: int
    rates: tuple[int, ...] = (1,)
    learning_rate: float = 0.5
    hours: float | None = None
    pairs: tuple[tuple[int, int], ...] = ()
    kind: Literal["a", "b"] = "a"
    share: bool = False

    def __post_init__(self):
        if self.channels < 1:
            raise ValueError(f"channels is {self.channels}; must be at least 1")


def test_lists_become_tuples_and_whole_numbers_floats():
    settings = settings_from(Example, {"channels": 3, "rates": [8, 2], "learning_rate": 1, "pairs": [[1, 2]]}, "x")
    assert settings == Example(3, (8, 2), 1.0, None, ((1, 2),))
    assert isinstance(settings.learning_rate, float)


def test_text_that_spells_what_a_field_wants_is_read_as_it():
    settings = settings_from(Example, {"channels": "3", "learning_rate": "1e-4", "share": "true", "hours": "null"}, "x")
    assert settings == Example(3, learning_rate=1e-4, share=True)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"channels": 3, "chanels": 4}, "x.chanels: unknown (did you mean 'channels'?); allowed here: channels"),
        ({}, "x.channels: missing"),
        ({"channels": "three"}, "x.channels: 'three' is not allowed; expected integer"),
        ({"channels": 3.0}, "x.channels: 3.0 is not allowed; expected integer; write 3"),
        ({"channels": "3.5"}, "x.channels: '3.5' is not allowed; expected integer"),
        ({"channels": float("nan")}, "x.channels: nan is not allowed; must be a finite number"),
        ({"channels": 3, 64: 1}, 'x: the name 64 is not text; write it in quotes, "64"'),
        ({"channels": True}, "x.channels: True is not allowed"),
        ({"channels": 3, "rates": 8}, "x.rates: 8 is not allowed"),
        ({"channels": 3, "rates": [8, 2.5]}, "x.rates.1: 2.5 is not allowed; expected integer"),
        ({"channels": 3, "pairs": [[1, 2, 3]]}, "x.pairs"),
        ({"channels": 3, "learning_rate": "1e-4x"}, "x.learning_rate: '1e-4x' is not allowed; expected number"),
        ({"channels": 3, "kind": "c"}, "x.kind: 'c' is not allowed; allowed: a | b"),
        ({"channels": 3, "share": 1}, "x.share: 1 is not allowed; expected true or false"),
        ({"channels": 0}, "x: channels is 0; must be at least 1"),
    ],
)
def test_an_error_names_key_value_and_what_is_allowed(values, words):
    with pytest.raises(UserError) as error:
        settings_from(Example, values, "x")
    assert words in str(error.value)
