import json

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.texts import read_texts


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scales": {"paper": ["bad", "perfect"]}}, "scales.paper has 2 labels; must be 5"),
        ({"trap_sentence": "Choose well."}, "does not hold {score}"),
        ({"question": 3}, "question: 3 is not allowed"),
    ],
)
def test_texts_that_would_break_the_test_are_refused(tmp_path, templates, change, message):
    content = json.loads((templates / "texts.json").read_text()) | change
    (tmp_path / "texts.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        read_texts(tmp_path / "texts.json")


def test_an_unknown_scale_is_refused_with_the_known_ones(texts):
    with pytest.raises(UserError, match="'likert' is unknown; allowed: paper, acr"):
        texts.labels("likert")
