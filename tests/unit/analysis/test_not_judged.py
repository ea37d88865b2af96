"""A study in which nothing was trained: costs as ever, no quality, and words for it wherever a quality would stand."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from seeds import seed_of

from vocoder_pareto.analysis.carbon import carbon_table
from vocoder_pareto.analysis.comparison import agreement, compare_with_published, to_markdown
from vocoder_pareto.analysis.correlation import correlate_with_mos
from vocoder_pareto.analysis.correlation_figure import draw_correlations
from vocoder_pareto.analysis.figure_captions import caption
from vocoder_pareto.analysis.figure_style import drawing
from vocoder_pareto.analysis.fronts import Objectives, find_front, read_front
from vocoder_pareto.analysis.pareto_figure import draw_fronts, panels_of
from vocoder_pareto.analysis.report import ReportInputs, build_report
from vocoder_pareto.analysis.result_tables import cost_display, cost_table, quality_display, quality_table
from vocoder_pareto.analysis.systems_table import measurement_flags, mos_of_paper, read_measurements, systems_measured
from vocoder_pareto.audio.dataset_summary import DatasetSummary
from vocoder_pareto.files import write_json
from vocoder_pareto.study.provenance import provenance_of
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.study.settings import plain
from vocoder_pareto.tables.csv_tables import read_systems, write_table

PROJECT = Path(__file__).resolve().parents[3]
SYSTEMS = ("melgan-S", "melgan-L", "hifigan-S")
SPEED = Objectives("speed", {"real_time_factor": "min", "d_stft": "min"})
ENERGY = Objectives("energy", {"energy_joules_per_audio_second": "min", "mos": "max"})
DATASET = DatasetSummary(
    recordings=12, used=11, train=8, test=2, split="tail", skipped=1, unreadable={".m4a": 3}, other_files={},
    several_channels=0, channels="mix", padding_share=0.0, little_sound={"LJ001": "silent"}, little_sound_of_test=1,
)  # fmt: skip
UNTRAINED = {"steps": 0, "seconds": None, "energy_joules": None, "energy_source": None, "flags": ["untrained"]}


class Page(HTMLParser):
    """What Python's own parser finds in a page: its text, and that of the element `data`."""

    def __init__(self, html: str):
        super().__init__()
        self.text, self.data, self._is_data = "", "", False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self._is_data = ("id", "data") in attributes

    def handle_data(self, data):
        if self._is_data:
            self.data += data
        else:
            self.text += data


class Study:
    """Measurements of three systems, of which the named ones were trained for two steps."""

    def __init__(self, files, quality, families, trained=()):
        for number, system in enumerate(SYSTEMS):
            files.add(system, 0.5 + number, gflops=1 + number)
            if system not in trained:
                write_json(files.training[-1], {"system": system, **UNTRAINED})
                files.quality.pop()
        files.add_quality("ground_truth", [0.0, 0.0]).add_quality("griffin_lim", [0.3, 0.4])
        self.measurements = read_measurements(files.complexity, files.energy, files.training, files.quality)
        carbon = CarbonSettings(intensity_kg_per_kwh=0.7)
        self.systems = systems_measured(self.measurements, mos_of_paper(quality), families, carbon)


@pytest.fixture
def study(files, printed_quality, families):
    return Study(files, printed_quality, families)


@pytest.fixture
def mixed(files, printed_quality, families, tmp_path):
    (tmp_path / "mixed").mkdir()
    return Study(type(files)(tmp_path / "mixed"), printed_quality, families, trained=["melgan-S"])


def words_of(figure) -> str:
    texts = [text.get_text() for text in figure.findobj() if hasattr(text, "get_text")]
    return " ".join(" ".join(texts).split())


def drawn(front, labels, style="improved"):
    settings = FigureSettings(style=style)
    with drawing(settings):
        figure = draw_fronts(panels_of(front), settings, labels)
        figure.draw_without_rendering()
    return figure


def test_every_system_has_a_row_with_its_costs_and_no_quality(study):
    table = study.systems.set_index("system")
    assert list(table.index) == ["ground_truth", "griffin_lim", *SYSTEMS]
    for system in SYSTEMS:
        row = table.loc[system]
        assert row["training_steps"] == 0
        assert row[["d_stft", "training_seconds", "training_energy_joules", "co2eq_kg_training"]].isna().all()
        assert row[["energy_joules_per_audio_second", "gflops_per_audio_second", "mos"]].notna().all()
    assert table.loc["griffin_lim", "d_stft"] == pytest.approx(0.35)
    assert measurement_flags(study.measurements)["flags"] == {system: ["untrained"] for system in SYSTEMS}


def test_a_table_that_was_written_and_read_says_the_same(study, tmp_path, labels):
    write_table(study.systems, tmp_path / "systems.csv")
    systems = read_systems(tmp_path / "systems.csv")
    assert (
        "Not trained, so not judged: all systems."
        in quality_display(quality_table(systems, "measured", [], labels), systems).to_markdown()
    )


def test_tables_name_who_was_not_trained(study, mixed, labels):
    for systems, words in (
        (study.systems, "Not trained, so not judged: all systems."),
        (mixed.systems, "Not trained, so not judged: MelGAN L, HiFi-GAN S."),
    ):
        quality = quality_display(quality_table(systems, "measured", [], labels), systems)
        cost = cost_display(cost_table(systems, "measured", [], labels), systems)
        for display in (quality, cost):
            assert words in display.to_markdown()
            assert "0 steps" not in display.to_markdown()
            assert words in display.to_latex()
    assert "Trained for 2 steps." in quality.to_markdown()


@pytest.mark.parametrize("style", ["improved", "paper"])
def test_a_front_of_distances_says_that_nobody_is_judged(study, labels, style, tmp_path):
    find_front(study.systems, SPEED, draws=20).write(tmp_path / "speed.csv", tmp_path / "speed.json")
    front = read_front(tmp_path / "speed.csv", tmp_path / "speed.json")
    assert front.summary["not_judged"] == list(SYSTEMS)
    words = words_of(drawn(front, labels, style))
    assert "no system was trained: none is judged" in words
    assert "Not trained, so not judged: MelGAN S, MelGAN L, HiFi-GAN S." in words
    assert "Left out" not in words


def test_a_front_of_published_scores_has_all_of_them(study, labels):
    """The paper's scores belong to the architectures as their authors trained them."""
    front = find_front(study.systems, ENERGY, draws=20)
    assert front.summary["systems"] == 3
    assert front.summary["not_judged"] == []
    assert "judged" not in words_of(drawn(front, labels))


def test_beside_trained_systems_the_untrained_ones_are_named_apart_from_others(mixed, labels):
    systems = mixed.systems.assign(real_time_factor=mixed.systems["real_time_factor"].where(
        mixed.systems["system"] != "melgan-S"
    ))  # fmt: skip
    text = caption([find_front(systems, SPEED, draws=20)], labels, False)
    assert "Not trained, so not judged: MelGAN L, HiFi-GAN S." in text
    assert "Left out, without all values: MelGAN S." in text


def test_many_untrained_systems_are_counted(study, labels):
    many = pd.concat([study.systems.assign(system=[f"{name}{n}" for name in study.systems["system"]]) for n in "abc"])
    assert "Not trained, so not judged: 9 of 9 systems." in caption(
        [find_front(many[many["family"] != "reference"], SPEED, draws=5)], labels, False
    )


def test_the_comparison_lists_printed_distances_and_why_none_of_ours_is_beside_them(
    study, printed, conventions, statement, labels
):
    table = compare_with_published(study.systems, printed, conventions, statement)
    ours = table[table["quantity"] == "d_stft"].set_index("system")
    assert list(ours.index) == list(SYSTEMS)
    assert ours[["ours_exact", "ours_same_convention", "ratio", "agrees"]].isna().all(axis=None)
    assert set(ours["reason"]) == {"Not trained, so its audio is not judged."}
    text = to_markdown(table, agreement(study.systems, printed), conventions, labels)
    assert text.count("Not trained, so its audio is not judged.") == 3
    assert "| nan |" not in text


def test_correlations_of_metrics_are_empty_and_the_figure_says_why(study, labels):
    scores = study.systems.set_index("system").drop(index=["ground_truth", "griffin_lim"])
    table = correlate_with_mos(scores, seed_of(0))
    assert table["n_systems"].tolist() == [0]
    assert table["spearman"].isna().all()
    with drawing(FigureSettings()):
        figure = draw_correlations(scores, table, FigureSettings(), labels)
        figure.draw_without_rendering()
    assert "Not trained, so not judged: all systems." in words_of(figure)
    assert "trained here for" not in words_of(figure)


def test_emissions_of_no_training_are_empty_and_say_so(study, mixed, statement, printed):
    for each, kwh in ((study, np.nan), (mixed, 1.0)):
        table = carbon_table(
            statement, printed, CarbonSettings(), each.systems, each.measurements.training
        ).set_index(["study", "system"]).loc["here"]  # fmt: skip
        row = table.loc["melgan-L"]
        assert row["training_energy_source"] == "untrained"
        numbers = ["training_hours", "training_kwh", "training_kg_co2eq", "break_even_audio_hours"]
        assert row[numbers].isna().all()
        assert row["generation_joules_per_audio_second"] == 1.5
        assert table.loc["all", "training_kwh"] == pytest.approx(kwh, nan_ok=True)
        assert table.loc["all", "training_energy_source"] == ("nvml" if kwh == 1.0 else "untrained")


def test_the_page_has_the_audio_of_references_alone_and_says_why(study, tmp_path, labels):
    write_table(study.systems, tmp_path / "systems.csv")
    manifests = []
    for name in ("ground_truth", "griffin_lim"):
        folder = tmp_path / "generated" / name
        folder.mkdir(parents=True)
        soundfile.write(folder / "a.wav", 0.1 * np.sin(np.arange(8000)), 16000)
        pd.DataFrame({"clip_id": ["a"], "file": ["a.wav"]}).to_csv(folder / "manifest.csv", index=False)
        manifests.append(folder / "manifest.csv")
    config = {
        "dataset": {"source": "synthetic", "clip_seconds": 1.024, "test_share": 0.2},
        "front_ends": {"paper": plain(FrontEndSettings())}, "evaluation": {"sample_rate": 16000},
        "energy": {"clips": 1}, "training": {"steps": 0},
    }  # fmt: skip
    provenance = json.loads(json.dumps(provenance_of(config, PROJECT)))
    flags = {system: ["untrained"] for system in SYSTEMS}
    inputs = ReportInputs(
        tmp_path / "systems.csv", manifests, [], DATASET, provenance, PROJECT / "resources" / "report", labels,
        FigureSettings(), flags, "Ratings: 7 used, 0 screened out (0 of 2 sessions), 3 rejected.",
        predicted={"withheld": "Predicted MOS is withheld on this corpus: it is too short.", "resolution": None},
    )  # fmt: skip
    build_report(inputs, tmp_path / "report" / "index.html", clips_limit=3)
    page = Page((tmp_path / "report" / "index.html").read_text())
    data = json.loads(page.data)
    assert [system["system"] for system in data["audio"]] == ["ground_truth", "griffin_lim"]
    assert {row["system"]: row["d_stft"] for row in data["systems"]}["melgan-S"] is None
    said = " ".join(page.text.split())
    first = "clips for training: 8, for the test: 2 (the last in sorted order), recordings skipped: 1"
    assert f"Dataset: {first} (of the first 11 of 12 recordings, dataset.clips)" in said
    assert "clips with too little sound: 1, in the test set 1 (digital silence: 1, LJ001)" in said
    assert "2 of 10 clips for testing, the last in sorted order" in said
    assert "Not trained, so not judged: all systems" in said
    assert "No system was trained for long enough, so there is audio of the references alone." in said
    assert "Ratings: 7 used, 0 screened out (0 of 2 sessions), 3 rejected" in said
    assert "Predicted MOS is withheld on this corpus: it is too short" in said
    assert "briefly trained" not in said
    assert "untrained: all systems." in said
