"""The energy protocol of the paper's scale, as presets/paper.yaml has it."""

from pathlib import Path

from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.sections.measurement import EnergySettings
from vocoder_pareto.study.settings import settings_from

PROJECT = Path(__file__).resolve().parents[3]
FULL = settings_from(
    EnergySettings,
    read_configuration([PROJECT / "config.yaml", PROJECT / "presets" / "paper.yaml"])["energy"],
    "energy",
)
