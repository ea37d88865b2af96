"""Fronts, figures, and the report page."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.settings import STRICT, refusing_in_words


@dataclass(frozen=True, config=STRICT)
class ObjectivesSettings:
    """A front to find: two or three columns of systems.csv, with the direction that is better."""

    name: str = Field(pattern="^[a-z0-9_]+$", examples=["lower-case letters, digits and _"])
    """Names the files: lower-case letters, digits, _."""

    columns: dict[str, Literal["min", "max"]] = Field(min_length=2, max_length=3)
    """Numeric columns of systems.csv, each with min or max."""


@dataclass(frozen=True, config=STRICT)
class ParetoSettings:
    """Pareto fronts."""

    draws: int = Field(default=10_000, ge=1, le=10_000_000)
    """Monte Carlo draws from the uncertainties for the probability that a system is on a front (>= 1). 10000 draws are
    good to half a percent."""

    systematic_common_share: float = Field(default=0.8, ge=0, le=1)
    """Share (0 to 1) of the variance of a meter's systematic error that is the same for all systems measured on one
    device, and cancels where they are compared. The gain of a board's sensor is one number; what is left, the part of
    the time that it does not sample and the mix of instructions, differs between systems: 0.8 leaves 2.2 % of 5 %."""

    objectives: tuple[ObjectivesSettings, ...] = (
        ObjectivesSettings("speed_and_distance", {"real_time_factor": "min", "d_stft": "min"}),
        ObjectivesSettings(
            "parameters_energy_and_quality",
            {"parameters": "min", "energy_joules_per_audio_second": "min", "mos": "max"},
        ),
    )
    """Further fronts: a name (lower-case letters, digits, _) and two or three numeric columns of systems.csv, each with
    min or max. They become pareto/{name}.csv, .pdf and .svg below the results. [] for none."""

    def __post_init__(self):
        names = [each.name for each in self.objectives]
        if len(set(names)) < len(names):
            raise ValueError("objectives: two entries have the same name; rename one")


@refusing_in_words
@dataclass(frozen=True, config=STRICT)
class FigureSettings:
    """How figures look; a change redraws figures and nothing else."""

    style: Literal["improved", "paper"] = "improved"
    """improved: logarithmic cost, stepped front, intervals, labels | paper: as figure 2 of the paper."""

    medium: Literal["screen", "column", "page"] = "screen"
    """screen: panels side by side, each `width_inches` wide, over a caption | column: the whole figure is so wide, as
    the column of a paper takes it | page: twice as wide, across two columns. In column and page no text is smaller than
    7 points, and the caption, which the paper sets, stands in the table of the figure alone."""

    width_inches: float = Field(default=3.35, ge=2, le=12)
    """Width of a panel in inches (2 to 12); 3.35 fits the column of a two-column page."""

    palette: str = Field(default="crest", min_length=1)
    """A palette of seaborn, light to dark, for sizes S, M, L: crest | viridis_r | mako_r | …"""

    font: str = Field(default="DejaVu Sans", min_length=1)
    """A font that matplotlib finds; DejaVu Sans comes with it and looks the same everywhere."""

    font_size: float = Field(default=7.0, ge=4, le=16)
    """Size of labels in points (4 to 16)."""

    intervals: bool = True
    """Draw 95 % intervals: true | false."""

    probabilities: bool = True
    """Write how likely each system is on the front: true | false."""

    formats: tuple[Literal["pdf", "svg", "png"], ...] = Field(default=("pdf", "svg"), min_length=1)
    """In which formats figures are written, one or more: pdf (for LaTeX; fonts embedded) | svg (glyphs as outlines) |
    png (300 dots per inch)."""

    def __post_init__(self):
        if len(set(self.formats)) < len(self.formats):
            raise ValueError(f"formats: {', '.join(self.formats)}: one stands twice; name each once")


@dataclass(frozen=True, config=STRICT)
class ReportSettings:
    """The report page."""

    clips: int = Field(default=10, ge=1, le=1000)
    """Test clips in its listening grid (>= 1)."""

    reference_system: str = Field(default="hifigan-L", min_length=1)
    """System whose energy is 1 where energies are stated relative to one, on cards and on the leaderboard. Where it was
    not measured on the same device, nothing is stated."""
