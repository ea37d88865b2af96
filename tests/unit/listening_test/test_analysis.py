import json
import math
import subprocess
import sys

import pandas as pd
import pytest
from panels import DEVIATIONS, true_mos
from seeds import seed_of
from warm_python import warm_torch

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.analysis import AnalysisFiles, analyse_responses
from vocoder_pareto.listening_test.mean_opinion import MOS_COLUMNS
from vocoder_pareto.listening_test.planning import plan_test
from vocoder_pareto.listening_test.simulation import Panel, simulate_responses
from vocoder_pareto.study.sections.listening_test import (
    DesignSettings,
    LoudnessSettings,
    ScreeningSettings,
    StatisticsSettings,
)

QUALITIES = {"ground_truth": 4.5, "hifigan-S": 4.0, "wavegrad-L": 3.2, "melgan-S": 2.2, "griffin_lim": 1.5}


@pytest.fixture(scope="module")
def large_key(manifests, texts):
    design = DesignSettings(items=6, lists=2, participants=40)
    return plan_test(manifests, design, LoudnessSettings(), texts, texts.labels("paper"), seed=seed_of(0)).key


TABLES = [name for name in AnalysisFiles.__dataclass_fields__ if name != "counts"]


def files_in(folder):
    return AnalysisFiles(**{name: folder / f"{name}.csv" for name in TABLES}, counts=folder / "counts.json")


@pytest.fixture(scope="module")
def results(large_key, systems, tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    simulate_responses(large_key, Panel(40, QUALITIES), folder / "responses", seed=seed_of(0))
    files = files_in(folder)
    analyse_responses(folder / "responses", systems, ScreeningSettings(), StatisticsSettings(), seed_of(0), files)
    tables = {name: pd.read_csv(getattr(files, name)) for name in TABLES}
    return tables | {"counts": json.loads(files.counts.read_text())}


def test_a_simulated_panel_gives_back_its_qualities(results):
    """The outside is the mixed model: the mean of whole points, and four standard errors of six sentences."""
    mos = results["mos"].set_index("system")["mos"]
    expected = pd.Series(true_mos(list(QUALITIES.values()), whole=True), QUALITIES.keys())
    error = math.sqrt((DEVIATIONS["sentence"] ** 2 + DEVIATIONS["system_sentence"] ** 2) / 6)
    assert (mos - expected).abs().max() < 4 * error
    assert mos.is_monotonic_decreasing
    assert list(mos.index[-2:]) == ["melgan-S", "griffin_lim"]


def test_mos_has_the_columns_that_tables_read(results):
    assert tuple(results["mos"].columns) == MOS_COLUMNS


def test_every_table_is_marked_as_simulated(results):
    for name, table in results.items():
        if name == "counts":
            assert table["mos_source"] == "simulated"
        elif name == "ratings":
            assert table["simulated"].all()
        elif name != "rejected":  # it has no rows
            assert set(table["mos_source"]) == {"simulated"}, name


def test_careless_listeners_are_screened_out_and_reported(results):
    screening = results["screening"]
    assert len(screening) == 40
    assert (~screening["kept"]).sum() >= 3
    assert screening.loc[~screening["kept"], "reasons"].notna().all()
    details = results["details"]
    assert (details["n_ratings_before_screening"] > details["n_ratings"]).all()
    assert (details["mos_before_screening"] != details["mos"]).any()


def test_the_counts_are_those_of_the_tables(results):
    """The tables are the outside: what is used, screened out and checks is counted there by pandas."""
    counts, ratings, screening = (results[name] for name in ("counts", "ratings", "screening"))
    kept = set(screening.loc[screening["kept"], "participant"])
    countable = ratings[~(ratings[["is_trap", "is_gold", "is_training", "is_repeat"]].any(axis=1))]
    used = countable["participant"].isin(kept)
    assert counts["n_used"] == used.sum() == results["mos"]["n_ratings"].sum()
    assert counts["n_screened_out"] == (~used).sum() > 0
    assert counts["n_checks"] == len(ratings) - len(countable)
    assert counts["n_read"] == len(ratings) + len(results["rejected"])
    assert counts["n_sessions_screened_out"] == (~screening["kept"]).sum()
    assert counts["sentence"] == (
        f"Ratings: {used.sum():,} used, {(~used).sum():,} screened out ({40 - len(kept)} of 40 sessions), 0 rejected."
    )


def test_agreement_of_a_sensible_panel_is_high(results):
    agreement = results["agreement"].set_index("measure")["value"]
    assert agreement["krippendorff_alpha_ordinal"] > 0.5
    assert agreement["icc_2_k"] > 0.9


@pytest.mark.parametrize(
    ("ratings", "statistics", "told"),
    [
        ({"a": [3, 3], "b": [4, 4]}, {}, "are the same, which is no certainty"),
        ({"a": [3], "b": [4]}, {}, "one sentence tells nothing of others; set config key"),
        ({"a": [3], "b": [4]}, {"other_sentences": False}, "are the same, which is no certainty"),
    ],
)
def test_what_is_not_known_is_empty_and_the_reason_told(ratings, statistics, told, tmp_path, caplog):
    lines = [
        f"p{person},{system},u{index},{score}"
        for person in range(4)
        for system, scores in ratings.items()
        for index, score in enumerate(scores)
    ]
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "table.csv").write_text("\n".join(["participant,system,item,rating", *lines]))
    files = files_in(tmp_path)
    settings = StatisticsSettings(**statistics)
    analyse_responses(tmp_path / "answers", ["a", "b"], ScreeningSettings(), settings, seed_of(0), files)
    assert told in caplog.text
    mos = pd.read_csv(files.mos)
    assert mos["mos"].tolist() == [4, 3]
    assert mos["mos_ci95"].isna().all()
    assert pd.read_csv(files.pairwise)["significant"].isna().all()


def test_answers_that_claim_to_be_real_beside_simulated_ones_are_refused(large_key, systems, tmp_path):
    simulate_responses(large_key, Panel(3, QUALITIES), tmp_path / "responses", seed=seed_of(0))
    path = tmp_path / "responses" / "simulated_0002.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"simulated": False}))
    with pytest.raises(UserError, match="mixes simulated responses"):
        analyse_responses(
            tmp_path / "responses", systems, ScreeningSettings(), StatisticsSettings(), seed_of(0), files_in(tmp_path)
        )


def test_a_panel_is_repeatable(large_key, tmp_path):
    for name in ("a", "b"):
        simulate_responses(large_key, Panel(3, QUALITIES), tmp_path / name, seed=1)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


@pytest.mark.parametrize("listeners", [0, 41])
def test_a_panel_larger_than_the_prepared_sessions_is_refused(large_key, tmp_path, listeners):
    with pytest.raises(UserError, match=rf"simulate is {listeners}; allowed is 1 to 40"):
        simulate_responses(large_key, Panel(listeners, {}), tmp_path, seed=seed_of(0))


def run(program, *arguments):
    return warm_torch().run([f"workflow_scripts/{program}.py", *map(str, arguments)])


def test_the_programs_export_simulate_and_analyse(manifests, tmp_path):
    out = tmp_path
    done = run(
        "export_listening_test", "--manifests", *manifests.values(), "--p808-base-url", "https://example.org",
        "--design-settings", '{"items": 4, "lists": 2, "participants": 4}',
        "--texts", "resources/listening_test/texts.json", "--templates", "resources/listening_test",
        "--output-platforms", out / "page", out / "webmushra", out / "p808",
        "--output-key", out / "key.json", "--output-invitations", out / "invitations.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING: listening test: 4 participants × 4 sentences find a difference of" in done.stderr
    done = run(
        "simulate_responses", "--key", out / "key.json", "--listeners", 4, "--output", out / "responses",
        "--published-quality", "resources/published/table1_quality.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    tables = [f"--output-{name}-table={out / name}.csv" for name in TABLES]
    tables.append(f"--output-rating-counts={out / 'counts.json'}")
    (out / "responses" / "notes.txt").touch()
    done = run("analyse_responses", "--responses", out / "responses", "--system-names", *manifests, *tables)
    assert done.returncode == 0, done.stderr
    counts = json.loads((out / "counts.json").read_text())
    assert f"INFO: listening test (simulated): {counts['n_read']} rows read" in done.stderr
    assert counts["sentence"] in done.stderr
    assert "of 4 sessions" in counts["sentence"]
    assert "WARNING: " in done.stderr
    assert "not read: notes.txt" in done.stderr
    assert len(pd.read_csv(out / "mos.csv")) == len(manifests)


def test_a_user_mistake_ends_with_one_line(tmp_path):
    tables = [f"--output-{name}-table={tmp_path / name}.csv" for name in TABLES]
    tables.append(f"--output-rating-counts={tmp_path / 'counts.json'}")
    done = run("analyse_responses", "--responses", tmp_path / "none", "--system-names", *tables)
    assert done.returncode == 1
    assert done.stderr.startswith("error: config key listening_test.responses")
    assert done.stderr.count("\n") == 1


def test_analysis_needs_no_audio_package():
    code = (
        "import sys, analyse_responses; "
        "print({'torch', 'librosa', 'soundfile', 'pyloudnorm', 'soxr', 'yaml', 'espeakng_loader'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="workflow_scripts"
    )
    assert done.stdout.strip() == "set()"
