"""What the figure of forms and streams shows of the tables that were written."""

import pytest

from vocoder_pareto.analysis.deployment_figure import CHUNK_COLUMNS, FORM_COLUMNS, draw_deployments
from vocoder_pareto.analysis.figure_style import drawing
from vocoder_pareto.measurement.deployment_sweep import write_chunks, write_forms
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import ENERGY
from vocoder_pareto.tables.csv_tables import read_table

LABELS = {"vocos": "Vocos", "bigvgan": "BigVGAN"}


def row(system, joules=None, **others):
    model, _, size = system.rpartition("-")
    measured = {} if joules is None else {
        ENERGY: joules, f"{ENERGY}_ci95": 0.1, "energy_source": "rapl", "device": "CPU",
    }  # fmt: skip
    return {"system": system, "model": model, "size": size, **measured, **others}


@pytest.fixture
def figure(tmp_path):
    write_forms(
        tmp_path / "forms.csv",
        [
            row("vocos-L", 2.0, form="pytorch", d_stft_to_float32=0.0),
            row("vocos-L", form="onnxruntime", refused="it cannot be exported as ONNX"),
            row("bigvgan-base", 40.0, form="pytorch", d_stft_to_float32=0.0),
            row("bigvgan-base", 30.0, form="onnxruntime", d_stft_to_float32=1e-5),
        ],
    )
    write_chunks(
        tmp_path / "chunks.csv",
        [
            row("vocos-L", 4.0, chunk_frames=1, context_frames=3, awaited_seconds=0.1, first_audio_seconds=0.02),
            row("vocos-L", 3.0, chunk_frames=8, context_frames=3, awaited_seconds=0.2, first_audio_seconds=0.03),
            row("bigvgan-base", chunk_frames=1, refused="it does not say its context"),
        ],
    )
    forms, chunks = (
        read_table(tmp_path / name, columns)
        for name, columns in (("forms.csv", FORM_COLUMNS), ("chunks.csv", CHUNK_COLUMNS))
    )
    with drawing(FigureSettings()):
        yield draw_deployments(forms, chunks, FigureSettings(), LABELS)


def test_a_line_of_forms_per_system_and_only_what_was_measured(figure):
    left, _ = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["Vocos L", "BigVGAN base"]
    drawn = {container.get_label(): container.lines[0].get_xydata().tolist() for container in left.containers}
    assert drawn == {"PyTorch, float32": [[2.0, 0.0], [40.0, 1.0]], "ONNX Runtime": [[30.0, 1.0]]}


def test_a_stream_is_its_latency_against_its_joules(figure):
    _, right = figure.axes
    (line,) = (container.lines[0] for container in right.containers)
    assert line.get_xydata().ravel().tolist() == pytest.approx([0.12, 4.0, 0.23, 3.0])
    legend = [text.get_text() for text in right.get_legend().get_texts()]
    assert legend == ["Vocos", "L"]
    figure.draw_without_rendering()
    numbers = [
        label.get_text() for axes in figure.axes for label in (*axes.get_xticklabels(), *right.get_yticklabels())
    ]
    assert not any("$" in number for number in numbers)
    assert "chunks of 1, 8 frames" in figure.texts[0].get_text().replace("\n", " ")


def test_without_any_measurement_the_figure_says_so(tmp_path):
    write_forms(tmp_path / "forms.csv", [row("vocos-L", form="pytorch", refused="no memory")])
    write_chunks(tmp_path / "chunks.csv", [row("vocos-L", chunk_frames=1, refused="no memory")])
    forms, chunks = read_table(tmp_path / "forms.csv", FORM_COLUMNS), read_table(tmp_path / "chunks.csv", CHUNK_COLUMNS)
    with drawing(FigureSettings()):
        figure = draw_deployments(forms, chunks, FigureSettings(), LABELS)
    assert figure.axes[1].texts[0].get_text() == "no system streams"
    assert "nothing measured" in figure.texts[0].get_text()
