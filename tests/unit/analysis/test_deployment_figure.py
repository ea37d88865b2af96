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
            row("bigvgan-base", 30.0, form="onnxruntime", d_stft_to_float32=1e-5, flags="busy_machine not_publishable"),
            row("bigvgan-base", 50.0, form="onnxruntime_int8", d_stft_to_float32=0.3),
        ],
    )
    write_chunks(
        tmp_path / "chunks.csv",
        [
            row("vocos-L", 4.0, chunk_frames=1, context_frames=3, awaited_seconds=0.1, first_audio_seconds=0.02),
            row(
                "vocos-L",
                3.0,
                chunk_frames=8,
                context_frames=3,
                awaited_seconds=0.2,
                first_audio_seconds=0.03,
                flags="throttled",
            ),
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
    drawn = {container.get_label(): container.lines[0].get_xydata() for container in left.containers}
    joules = {form: points[:, 0].tolist() for form, points in drawn.items()}
    assert joules == {"PyTorch, float32": [2.0, 40.0], "ONNX Runtime": [30.0], "ONNX Runtime, int8": [50.0]}
    rows = {form: points[:, 1].round().tolist() for form, points in drawn.items()}
    assert rows == {"PyTorch, float32": [0, 1], "ONNX Runtime": [1], "ONNX Runtime, int8": [1]}
    assert len({place for points in drawn.values() for place in points[:, 1].tolist()}) == 4  # none covers another


def test_numbers_at_the_axes_are_plain(figure):
    """Powers of ten as mathematics would stand there as their source."""
    figure.canvas.draw()
    left, right = figure.axes
    for axis in (left.xaxis, right.xaxis, right.yaxis):
        told = [label.get_text() for label in axis.get_ticklabels()]
        assert len(told) >= 2
        assert all(float(text.replace(",", "")) > 0 for text in told)


def test_what_a_form_does_to_the_audio_is_told_where_it_can_be_heard(figure):
    left, _ = figure.axes
    assert [text.get_text() for text in left.texts] == ["†", "0.30"]


def test_what_is_not_to_be_had_is_told(figure):
    caption = figure.texts[0].get_text().replace("\n", " ")
    assert caption.endswith("Not to be had (the tables say why): ONNX Runtime: Vocos L; streams: BigVGAN base.")


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


def test_rows_to_doubt_have_their_mark_and_the_caption_says_why(figure):
    marks = [[(*text.xy, text.get_text()) for text in axes.texts if text.get_text() == "†"] for axes in figure.axes]
    ((joules, place, _),), ((latency, of_stream, _),) = marks
    assert (joules, round(place), latency, of_stream) == (30.0, 1, pytest.approx(0.23), 3.0)
    caption = " ".join(figure.texts[0].get_text().split())
    assert "† throttled: Vocos L; busy machine: BigVGAN base." in caption


def test_without_any_measurement_the_figure_says_so(tmp_path):
    write_forms(tmp_path / "forms.csv", [row("vocos-L", form="pytorch", refused="no memory")])
    write_chunks(tmp_path / "chunks.csv", [row("vocos-L", chunk_frames=1, refused="no memory")])
    forms, chunks = read_table(tmp_path / "forms.csv", FORM_COLUMNS), read_table(tmp_path / "chunks.csv", CHUNK_COLUMNS)
    with drawing(FigureSettings()):
        figure = draw_deployments(forms, chunks, FigureSettings(), LABELS)
    assert figure.axes[1].texts[0].get_text() == "no system streams"
    assert "nothing measured" in figure.texts[0].get_text()
