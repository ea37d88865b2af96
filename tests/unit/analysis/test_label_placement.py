"""Labels keep clear of each other, of markers and of the frame."""

import numpy as np
import pytest
from seeds import seed_of

from vocoder_pareto.analysis.figure_style import drawing, new_figure
from vocoder_pareto.analysis.label_placement import Label, clear_of_markers, place_labels
from vocoder_pareto.study.sections.analysis import FigureSettings


def placed(points, radius=3.0, lines=()):
    """Boxes of the labels in pixels, centres of the points, the frame, and pixels per point."""
    with drawing(FigureSettings()):
        figure = new_figure(3.4, 3.2)
        axes = figure.subplots()
        axes.set(xlim=(0, 1), ylim=(0, 1))
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        labels = [Label(f"System {index}", x, y, radius, {"fontsize": 6}) for index, (x, y) in enumerate(points)]
        written = place_labels(axes, labels, lines)
        renderer = figure.canvas.get_renderer()
        boxes = np.array([text.get_window_extent(renderer).extents for text in written])
        return boxes, axes.transData.transform(points), axes.get_window_extent().extents, figure.dpi / 72


def overlap(one, other):
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    return float(np.maximum(high - low, 0).prod())


@pytest.mark.parametrize("seed", range(4))
def test_twenty_labels_cover_neither_each_other_nor_a_marker_nor_leave_the_axes(seed):
    points = np.random.default_rng(seed_of(seed)).uniform(0.03, 0.97, (20, 2))
    boxes, centres, frame, scale = placed(points)
    for index, box in enumerate(boxes):
        assert all(overlap(box, other) == 0 for other in boxes[:index])
        markers = [np.concatenate([centre - 2 * scale, centre + 2 * scale]) for centre in centres]
        assert all(overlap(box, marker) < 2 * scale**2 for marker in markers)
        assert (box[:2] >= frame[:2] - 1).all()
        assert (box[2:] <= frame[2:] + 1).all()


def test_a_lonely_label_stands_beside_its_point():
    boxes, centres, _, scale = placed(np.array([[0.5, 0.5]]))
    nearest = np.clip(centres[0], boxes[0][:2], boxes[0][2:])
    assert 2 * scale < np.hypot(*(nearest - centres[0])) < 6 * scale


def test_labels_keep_off_lines_where_there_is_room():
    line = np.array([[0.5, 0.5], [1.0, 0.5]])  # leaves to the right, where a label would stand by itself
    boxes, centres, _, _ = placed(np.array([[0.5, 0.5]]), lines=[line])
    assert not boxes[0][1] < centres[0][1] < boxes[0][3] or boxes[0][2] < centres[0][0]


def test_equal_points_get_equal_places_every_time():
    points = np.random.default_rng(seed_of(0)).uniform(0.1, 0.9, (12, 2))
    assert np.array_equal(placed(points)[0], placed(points)[0])


def test_no_labels_are_no_trouble():
    assert len(placed(np.empty((0, 2)))[0]) == 0


def test_a_text_that_covers_a_marker_is_taken_out_and_one_beside_it_stays():
    figure = new_figure(3, 3)
    axes = figure.subplots()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    on, beside = axes.text(0.5, 0.5, "on it", ha="center"), axes.text(0.5, 0.8, "beside it", ha="center")
    figure.draw_without_rendering()
    kept = clear_of_markers(axes, [on, beside], [Label("system", 0.5, 0.5, 3.0, {})])
    assert kept == [beside] == list(axes.texts)
