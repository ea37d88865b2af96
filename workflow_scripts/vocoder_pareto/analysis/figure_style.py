"""How all figures look, and how they are saved: equal input gives equal bytes, and PDF and SVG the same glyphs."""

import io
import logging
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
import seaborn
from matplotlib import font_manager
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, Locator, LogLocator, MaxNLocator, NullFormatter
from matplotlib.typing import RcKeyType

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import written_whole
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import SIZE_ORDER, size_rank
from vocoder_pareto.tables.sources import source_of

INK = "#1b2733"
SOFT_INK = "#5b6875"
LINE = "#aeb7c0"
REFERENCE_COLOUR = "#888888"  # of systems without a size
GRID = "#e6eaee"
OPTIMAL = "#d1213a"
DOMINATED = "#f5f6f8"
LEAST_PRINTED_POINTS = 7.0
FEWEST_TICKS = 2  # with a number, on every axis
DENSE_DECADES = 3.0  # logarithmic axes shorter than this have ticks at 1, 2 and 5
SHADES = 11  # of the palette, of which sizes take the first, the last and those between
# Shapes that stay apart when they are small: of equal area, no two cover more than 0.85 of what both cover together.
Marker = str | tuple[int, Literal[1], int]  # a name, or a star by its corners and angle
MARKERS: tuple[Marker, ...] = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "d", (4, 1, 0), (3, 1, 180))
METADATA = {".pdf": {"CreationDate": None, "Producer": None, "Creator": None}, ".svg": {"Date": None, "Creator": None}}

_MISSING_GLYPH = re.compile(r"Glyph (\d+) .*missing from font")
logger = logging.getLogger(__name__)


@contextmanager
def drawing(settings: FigureSettings) -> Iterator[None]:
    """Within this context, matplotlib draws in the style of `settings`, without a screen.

    Raises:
        UserError: the font is not installed.
    """
    try:
        font_manager.findfont(settings.font, fallback_to_default=False)
    except ValueError as error:
        raise UserError(
            f"config key figures.font: {settings.font!r} is not installed; DejaVu Sans always is"
        ) from error
    size, smaller, larger = (points(settings, more) for more in (0.0, -0.5, 0.5))
    style: dict[RcKeyType, Any] = {
        "font.family": settings.font, "font.size": size, "axes.labelsize": size, "axes.titlesize": larger,
        "xtick.labelsize": smaller, "ytick.labelsize": smaller, "legend.fontsize": smaller,
        "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": SOFT_INK, "axes.linewidth": 0.6,
        "xtick.color": SOFT_INK, "ytick.color": SOFT_INK, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
        "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 2.5, "ytick.major.size": 2.5,
        "xtick.minor.size": 1.5, "xtick.minor.width": 0.4, "ytick.minor.size": 1.5, "ytick.minor.width": 0.4,
        "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True, "axes.titlelocation": "left",
        "grid.color": GRID, "grid.linewidth": 0.5, "mathtext.fontset": "dejavusans",
        "pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "vocoder-pareto",
        "figure.dpi": 144, "text.hinting": "none",
        "text.parse_math": False,  # names are text, and a dollar in one is a dollar
    }  # fmt: skip
    with matplotlib.rc_context(style), _missing_glyphs_told(settings.font):
        yield


@contextmanager
def _missing_glyphs_told(font: str) -> Iterator[None]:
    """Within this context, one line says what `font` cannot show, instead of a warning for each glyph and text."""
    missing: dict[str, None] = {}
    with warnings.catch_warnings():
        show = warnings.showwarning

        def collect(message: Warning | str, *where: Any, **options: Any) -> None:
            if found := _MISSING_GLYPH.match(str(message)):
                missing[chr(int(found[1]))] = None
            else:
                show(message, *where, **options)

        warnings.showwarning = collect
        warnings.filterwarnings("always", message=_MISSING_GLYPH.pattern)
        yield
    if missing:
        logger.warning(
            "figure: the font %s lacks %s, shown as boxes; take a font that has them "
            "(config key figures.font, flag --font)",
            font,
            "".join(missing),
        )


def size_colours(
    settings: FigureSettings, sizes: Sequence[str], models: Sequence[str] = ()
) -> dict[str, tuple[float, float, float]]:
    """A colour per size, from light (small) to dark (large).

    Args:
        settings: name the palette.
        sizes: those of all systems, repeated or not.
        models: the model of each; then light to dark is small to large within a model, however many models there are:
            its first size is the lightest, and a size of several models has the mean of its places in them.

    Raises:
        UserError: seaborn does not know the palette.
    """
    try:
        colours = seaborn.color_palette(settings.palette, SHADES)
    except ValueError as error:
        raise UserError(
            f"config key figures.palette: {settings.palette!r} is no palette of seaborn; try crest, viridis or mako_r"
        ) from error
    of_models: dict[str, list[str]] = {}
    for size, model in zip(sizes, models or [""] * len(sizes), strict=True):
        of_models.setdefault(model, []).append(size)
    places: dict[str, list[float]] = {}
    for own in of_models.values():
        # S, M and L keep their colours where a figure has only some of them; others stay in the order of the study.
        known = SIZE_ORDER if set(own) <= set(SIZE_ORDER) else sorted(dict.fromkeys(own), key=_place_in_study)
        if not models and known is not SIZE_ORDER:
            known = sorted(known, key=size_rank)
        for place, size in zip(np.linspace(0, 1, len(known)) if len(known) > 1 else [0.5], known, strict=True):
            places.setdefault(size, []).append(place)
    return {size: colours[round(float(np.mean(found)) * (SHADES - 1))] for size, found in places.items()}


def _place_in_study(size: str) -> int:
    """S, M and L by their order, others behind them as they come."""
    return size_rank(size)[0]


def marker_of(model: str, labels: Mapping[str, str], models: Iterable[str]) -> Marker:
    """Matplotlib's marker for `model`, the same in all figures of a study and on its page, and no other model's.

    Beyond as many models as there are shapes, the number of the model in that order is its marker.

    Args:
        model: one of the models.
        labels: of all models of the configuration, in its order, which gives the markers: a study of some of them
            keeps those of the whole.
        models: those shown, for a model that has no label.
    """
    order = list(dict.fromkeys([*labels, *models]))
    place = order.index(model)
    return MARKERS[place] if place < len(MARKERS) else f"${place + 1}$"


def points(settings: FigureSettings, more: float) -> float:
    """Size of a text that is `more` points larger than the labels of axes; in print, none is too small to be read."""
    size = settings.font_size + more
    return size if settings.medium == "screen" else max(size, LEAST_PRINTED_POINTS)


def sheet(settings: FigureSettings, panels: int, most: int, share: float = 1.0) -> tuple[int, float]:
    """How many of `panels` stand side by side, and how wide the whole figure is, in inches.

    Args:
        settings: whose medium and width count.
        panels: how many there are.
        most: that stand side by side in any medium.
        share: width of a panel on a screen, as a share of `settings.width_inches`.
    """
    columns = min(most, panels)
    if settings.medium == "screen":
        return columns, settings.width_inches * share * columns
    of_column = 2 if settings.medium == "page" else 1
    return min(columns, math.ceil(of_column / share)), settings.width_inches * of_column


def label_with_sources(
    label: str, words: Iterable[str], not_comparable: bool, settings: FigureSettings, between: str = ", "
) -> str:
    """The label of an axis: in print, where no caption tells it, with what its numbers are if nobody measured them.

    Args:
        label: of the axis.
        words: of the sources of its numbers, see `tables.sources`.
        not_comparable: whether they do not belong on one axis.
        settings: whose medium counts.
        between: what divides them from the label; a new line where the axis is short.
    """
    if settings.medium == "screen":
        return label
    told = [word for word in sorted(set(words) - {""}) if source_of(word).stands_in]
    return between.join([label, *told, *(["NOT COMPARABLE"] if not_comparable else [])])


def number_logarithmic(axis: Axis, low: float, high: float) -> None:
    """Put plain numbers at a logarithmic `axis` from `low` to `high`, two at least; powers would be shown as LaTeX."""
    axis.set_major_locator(_logarithmic_ticks(low, high))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


def _logarithmic_ticks(low: float, high: float) -> Locator:
    """Ticks at powers of ten, with 2 and 5 between few of them; where less than two lie on the axis, even ones."""
    subs = (1.0, 2.0, 5.0) if np.log10(high) - np.log10(low) < DENSE_DECADES else (1.0,)
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    places = np.outer(powers, subs)
    if ((places >= low) & (places <= high)).sum() >= FEWEST_TICKS:
        return LogLocator(subs=subs, numticks=20)
    return MaxNLocator(4, steps=(1, 2, 5, 10))


def new_figure(width_inches: float, height_inches: float) -> Figure:
    """An empty figure that belongs to no screen and to no global list."""
    figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def renderer_of(figure: Figure | SubFigure) -> RendererAgg:
    """What measures the texts of a figure that `new_figure` made, or of a part of it."""
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    return canvas.get_renderer()


def layout_of(figure: Figure) -> ConstrainedLayoutEngine:
    """What lays out a figure that `new_figure` made."""
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    return engine


def save_figure(figure: Figure, paths: Sequence[str | Path]) -> None:
    """Write `figure` to each path, in the format that its suffix names, whole or not at all, without dates.

    Raises:
        UserError: a suffix that matplotlib cannot write, or a folder that cannot be written.
    """
    supported = figure.canvas.get_supported_filetypes()
    for path in map(Path, paths):
        if path.suffix.lstrip(".") not in supported:
            raise UserError(f"{path}: cannot write {path.suffix or 'a file without suffix'}; try .pdf, .svg or .png")
        with written_whole(path) as temporary:
            figure.savefig(temporary, metadata=METADATA.get(path.suffix), dpi=300)


def svg_of(figure: Figure) -> str:
    """`figure` as SVG, as `save_figure` writes it, for a page that holds it."""
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata=METADATA[".svg"])
    return written.getvalue()


def write_below(figure: Figure, text: str, settings: FigureSettings) -> None:
    """Add `text` under what `figure` holds, wrapped at its width: the figure grows by the lines that it takes.

    In print the paper sets the caption, and nothing is written.
    """
    if settings.medium != "screen":
        return
    margin = 0.05  # inches
    renderer = renderer_of(figure)
    drawn = figure.text(0, 0, "", fontsize=points(settings, -1.8), color=SOFT_INK, va="bottom", linespacing=1.3)
    width = (figure.get_figwidth() - 2 * margin) * figure.dpi
    lines: list[str] = []
    for paragraph in text.splitlines():
        lines.append("")
        for word in paragraph.split():
            longer = f"{lines[-1]} {word}".strip()
            drawn.set_text(longer)
            if lines[-1] and drawn.get_window_extent(renderer).width > width:
                lines.append(word)
            else:
                lines[-1] = longer
    drawn.set_text("\n".join(lines))
    taken = drawn.get_window_extent(renderer).height / figure.dpi + 2 * margin
    height = figure.get_figheight() + taken
    figure.set_figheight(height)
    drawn.set_position((margin / figure.get_figwidth(), margin / height))
    layout_of(figure).set(rect=(0, taken / height, 1, 1 - taken / height))
