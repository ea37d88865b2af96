"""Predicted MOS in tables, fronts, captions and correlations: apart from ratings, with its source, or with a reason."""

import numpy as np
import pandas as pd
import pytest

from vocoder_pareto.analysis.correlation import correlate_with_mos, read_scores
from vocoder_pareto.analysis.figure_captions import caption
from vocoder_pareto.analysis.fronts import Objectives, find_front, read_front
from vocoder_pareto.analysis.predictions import not_told_apart, resolution_of, withheld_sentence
from vocoder_pareto.analysis.result_tables import quality_display, quality_table
from vocoder_pareto.analysis.systems_table import (
    measurement_flags,
    mos_of_listening_test,
    mos_of_paper,
    read_measurements,
    systems_measured,
)
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_json
from vocoder_pareto.quality.metrics import PREDICTED_MOS
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.tables.csv_tables import write_table

WHY = "the recordings score 2.18, not above 3.5"
OBJECTIVES = Objectives("p", {"energy_joules_per_audio_second": "min", "predicted_mos": "max"})
SCORES = {"ground_truth": [4.2, 4.4, 4.6], "melgan-S": [3.6, 3.7, 3.8], "hifigan-S": [4.1, 4.3, 4.5]}


def prediction(system, scores, withheld=None):
    return {
        "system": system, "predictor": "distillmos-0.9.1", "predicted_mos": float(np.mean(scores)) if scores else None,
        "predicted_mos_ci95": 0.1 if scores else None, "predicted_mos_degrees_of_freedom": 2 if scores else None,
        "passages": [{"clips": [f"clip{index}"], "predicted_mos": score} for index, score in enumerate(scores)],
        "withheld": withheld,
    }  # fmt: skip


@pytest.fixture
def study(files, printed_quality, families, tmp_path):
    """Measurements and table of a study whose predictions are `scores` by system, or withheld."""

    def made(scores=None, withheld=None):
        files.add("melgan-S", 0.5).add("hifigan-S", 0.7).add_quality("ground_truth", [0.0, 0.0])
        paths = []
        for system in SCORES:
            paths.append(tmp_path / f"predicted-{system}.json")
            write_json(paths[-1], prediction(system, (scores or {}).get(system, []), withheld))
        measured = read_measurements(
            files.complexity, files.energy, files.training, files.quality, predictions=paths
        )  # fmt: skip
        return measured, systems_measured(measured, mos_of_paper(printed_quality), families, CarbonSettings())

    return made


def test_the_predicted_mos_has_columns_of_its_own_and_mos_stays_what_it_is(study, printed_quality):
    _, table = study(SCORES)
    by_name = table.set_index("system")
    assert by_name.loc["hifigan-S", "predicted_mos"] == pytest.approx(4.3)
    assert by_name.loc["hifigan-S", ["predicted_mos_ci95", "predicted_mos_degrees_of_freedom"]].tolist() == [0.1, 2]
    assert set(table["predicted_mos_source"]) == {"distillmos-0.9.1"}
    printed = printed_quality.set_index("system")["mos"]
    assert by_name.loc["hifigan-S", "mos"] == printed["hifigan-S"]
    assert by_name.loc["hifigan-S", "mos_source"] == "published"


def test_predicted_mos_is_no_mos_of_listeners(files):
    with pytest.raises(UserError, match=r"mos_source is predicted:distillmos-0\.9\.1; allowed is one of"):
        mos_of_listening_test(files.mos({"melgan-S": 3.0}, source="predicted:distillmos-0.9.1"))


def test_a_front_of_predicted_mos_says_who_predicted_it_and_what_it_does_not_tell(study, labels, tmp_path):
    measured, table = study(SCORES)
    predicted = measurement_flags(measured)["predicted_mos"]
    front = find_front(table, OBJECTIVES, 50, predicted=predicted)
    assert list(front.table["system"]) == ["melgan-S", "hifigan-S"]
    assert front.summary["uncertainty_unknown"] == {}
    front.write(tmp_path / "front.csv", tmp_path / "front.json")
    text = caption([read_front(tmp_path / "front.csv", tmp_path / "front.json")], labels, True)
    assert "Predicted MOS: predicted by DistillMOS 0.9.1, rated by nobody." in text
    assert "tell neighbours apart" not in text  # 4.3 and 3.7, where passages differ by 0.2
    assert "MOS: printed by" not in text


def test_what_is_withheld_is_empty_and_told_in_front_caption_and_table(study, labels):
    measured, table = study(withheld=WHY)
    assert table[["predicted_mos", "predicted_mos_ci95"]].isna().all(axis=None)
    assert set(table["predicted_mos_source"]) == {""}
    predicted = measurement_flags(measured)["predicted_mos"]
    told = f"Predicted MOS is withheld on this corpus: {WHY}."
    assert predicted == {"withheld": told, "resolution": None}
    front = find_front(table, OBJECTIVES, 50, predicted=predicted)
    assert front.table.empty
    assert told in caption([front], labels, False)
    shown = quality_display(quality_table(table, "measured", [], labels), table, "", predicted).to_markdown()
    assert told in shown
    assert "Predicted MOS |" not in shown


def test_a_caption_of_other_objectives_does_not_speak_of_it(study, labels):
    measured, table = study(withheld=WHY)
    energy = Objectives("energy", {"energy_joules_per_audio_second": "min", "mos": "max"})
    front = find_front(table, energy, 50, predicted=measurement_flags(measured)["predicted_mos"])
    assert "Predicted" not in caption([front], labels, False)


def test_table_1_marks_it_and_says_which_systems_it_does_not_tell_apart(study, labels):
    measured, table = study(SCORES)
    data = quality_table(table, "measured", [], labels)
    assert set(data["predicted_mos_source"]) == {"predicted:distillmos-0.9.1"}
    text = quality_display(data, table, "", measurement_flags(measured)["predicted_mos"]).to_markdown()
    assert "Predicted MOS<sup>d</sup>" in text
    assert "differ by less than 0.20, as passages of the recordings do: Ground truth, HiFi-GAN S." in text


def test_the_resolution_is_the_deviation_between_passages_of_the_recordings():
    predictions = {name: prediction(name, scores) for name, scores in SCORES.items()}
    assert resolution_of(predictions) == pytest.approx(pd.Series(SCORES["ground_truth"]).std())
    assert resolution_of({"ground_truth": prediction("ground_truth", [4.2])}) is None
    assert resolution_of({}) is None


def test_neighbours_closer_than_the_resolution_are_named_together():
    scores = {"A": 4.3, "D": 1.6, "B": 4.2, "C": 3.2, "E": np.nan}
    assert not_told_apart(scores, 0.2).endswith(": A, B.")
    assert not_told_apart(scores, 0.05) == ""
    assert not_told_apart(scores, 5.0).endswith(": A, B, C, D.")
    assert "is not known" in not_told_apart(scores, None)
    assert not_told_apart({"A": 4.0, "B": np.nan}, None) == ""


def test_a_reason_of_some_systems_names_them():
    predictions = {
        "ground_truth": prediction("ground_truth", [4.2]),
        "melgan-S": prediction("melgan-S", [], "its audio is silent or constant (clip0)"),
    }
    assert withheld_sentence(predictions) == (
        "Predicted MOS is withheld for melgan-S: its audio is silent or constant (clip0)."
    )
    assert withheld_sentence({}) == ""


def test_its_order_is_compared_with_that_of_listeners(study, tmp_path):
    _, table = study(SCORES)
    write_table(table, tmp_path / "systems.csv")
    scores = read_scores(tmp_path / "systems.csv", [])
    others = [scores.assign(mos=[2.0, 3.0], predicted_mos=[1.0, 4.0]), scores.assign(mos=[2.5, 1.0])]
    more = pd.concat([scores, *others])
    row = correlate_with_mos(more, 0, (PREDICTED_MOS,)).iloc[0]
    assert (row["metric"], row["label"], row["n_systems"]) == ("predicted_mos", "Predicted MOS", 6)
    expected = more["mos"].corr(more["predicted_mos"], method="spearman")
    assert row["agreement"] == pytest.approx(expected)


def test_withheld_predictions_take_no_part_in_correlations(study, tmp_path):
    _, table = study(withheld=WHY)
    write_table(table, tmp_path / "systems.csv")
    assert correlate_with_mos(read_scores(tmp_path / "systems.csv", []), 0, (PREDICTED_MOS,)).empty
