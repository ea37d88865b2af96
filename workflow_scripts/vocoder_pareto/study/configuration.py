"""The configuration of a study: all sections together, read from files and checked.

Imports nothing heavy, since the Snakefile reads it at every start.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.consistency import faults_between_sections, faults_of_system
from vocoder_pareto.study.early_checks import faults_of_choices, with_settings_of_classes
from vocoder_pareto.study.front_ends import front_end_of
from vocoder_pareto.study.hop_lengths import faults_of_hop_length
from vocoder_pareto.study.sections.analysis import FigureSettings, ParetoSettings, ReportSettings
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.sections.evaluation import EvaluationSettings
from vocoder_pareto.study.sections.front_ends import BUILT_IN, FrontEndName, FrontEndSettings
from vocoder_pareto.study.sections.generation import GenerationSettings
from vocoder_pareto.study.sections.listening_test import ListeningTestSettings
from vocoder_pareto.study.sections.measurement import EnergySettings, MeasurementsSettings, MeterSettings
from vocoder_pareto.study.sections.models import ModelSettings, Name
from vocoder_pareto.study.sections.paths import ResultsFolder
from vocoder_pareto.study.sections.predicted_mos import PredictedMosSettings
from vocoder_pareto.study.sections.quality import QualitySettings
from vocoder_pareto.study.sections.training import CarbonSettings, TrainingSettings
from vocoder_pareto.study.settings import LARGEST_SEED, STRICT, plain, settings_from
from vocoder_pareto.study.studied_systems import configured_systems, known_systems
from vocoder_pareto.study.yaml_files import lay_over, merged


@dataclass(frozen=True, config=STRICT)
class Configuration:
    """Every setting of a study. The defaults are the quick study of config.yaml, but for the models."""

    models: dict[Name, ModelSettings] = Field(min_length=1)
    """The models. A model has a name for readers, a family, the import paths of its classes (package.module.Class, or
    path/to/file.py:Class for a file of your own) and its sizes. What a size sets goes over what its model sets:
      architecture          what fixes the weights; a change retrains
      sampling              what matters at generation only; a change generates and measures again
      training              the recipe (learning rate, weights of losses), and any key of `training` above
      published_convention  how the paper's FLOPs were counted, where it differs from: 64 frames, the plain form
      front_end             what makes its mel-spectrograms, one of `front_ends` above; without it, paper
      weights               weights to use instead of a training, by url, path or package (docs/pretrained.md)
    The keys of architecture, sampling and recipe are described in the model's and the objective's file."""

    results_dir: ResultsFolder = "results"
    """Folder of all outputs. Give every preset its own, so that none overwrites another."""

    systems: Literal["all"] | tuple[str, ...] = "all"
    """Which systems to study: all, or a list such as [melgan-S, hifigan-L] of names {model}-{size} from `models`
    below."""

    seed: int = Field(default=0, ge=0, le=LARGEST_SEED)
    """Seed of everything random (>= 0): weights, shuffling, noise of sampling, bootstrap. Equal seeds give equal audio
    on a CPU."""

    device: str = Field(
        default="auto", pattern="^(auto|cpu|cuda(:[0-9]+)?)$", examples=["auto", "cpu", "cuda", "cuda:0"]
    )
    """Where training, generation and measurement run: auto (a GPU if there is one) | cpu | cuda | cuda:N."""

    dataset: DatasetSettings = field(default_factory=DatasetSettings)
    """The recordings, and how clips are cut from them."""

    front_ends: dict[FrontEndName, FrontEndSettings] = field(default_factory=lambda: dict(BUILT_IN))
    """Front ends by name: what makes the mel-spectrograms that vocoders turn into audio. A system takes that of `paper`
    unless it names another one (models.hifigan.front_end: hifigan_22k); docs/front_ends.md tells where those of
    published vocoders come from. One of your own has a name and the keys that differ from these."""

    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    """What is judged: how much of each utterance of the test set, at which rate, of which systems."""

    training: TrainingSettings = field(default_factory=TrainingSettings)
    """How long, and with what means, every system is trained. Any key can be set for one model or size below
    `models`."""

    carbon: CarbonSettings = field(default_factory=CarbonSettings)
    """How energy becomes emissions."""

    generation: GenerationSettings = field(default_factory=GenerationSettings)
    """The audio of the test set."""

    meter: MeterSettings = field(default_factory=MeterSettings)
    """How energy is read from the hardware."""

    energy: EnergySettings = field(default_factory=EnergySettings)
    """The protocol of energy measurements. What falls short of the least values of docs/measurement.md (windows of
    10 s, say; presets/paper.yaml takes 30) is flagged `not_publishable`. Energy jobs run alone on the machine."""

    measurements: MeasurementsSettings = field(default_factory=MeasurementsSettings)
    """Where measurements come from, and further ones."""

    pareto: ParetoSettings = field(default_factory=ParetoSettings)
    """Pareto fronts. Those of energy and of GFLOPs against MOS are always found; the default study adds two more."""

    figures: FigureSettings = field(default_factory=FigureSettings)
    """How figures look; a change redraws figures and nothing else."""

    quality: QualitySettings = field(default_factory=QualitySettings)
    """Objective quality of the reconstructions, against the recordings."""

    predicted_mos: PredictedMosSettings = field(default_factory=PredictedMosSettings)
    """MOS as a network predicts it (docs/listening_test.md), withheld where it cannot tell good recordings from bad
    ones. It never stands in for ratings."""

    listening_test: ListeningTestSettings = field(default_factory=ListeningTestSettings)
    """The listening test (docs/listening_test.md) of trained systems, which the target `listening_test` exports; with
    answers, its MOS replaces the published one in tables and figures."""

    report: ReportSettings = field(default_factory=ReportSettings)
    """The report page."""


def read_configuration(files: Iterable[str | Path]) -> dict[str, Any]:
    """The checked configuration of YAML `files`, see `merged` and `checked`.

    Raises:
        UserError: As these do.
    """
    return checked(merged(files))


def checked(config: Mapping[str, Any]) -> dict[str, Any]:
    """`config` as the study takes it: with all keys, numbers as numbers, and paths in one spelling each.

    Raises:
        UserError: One line per fault, each with its key, its value, what is allowed and the nearest known key.
    """
    front_ends = {name: plain(each) for name, each in BUILT_IN.items()}
    given = config.get("front_ends", {})
    if isinstance(given, Mapping):
        lay_over(front_ends, given)
        config = {**config, "front_ends": front_ends}
    settings = settings_from(Configuration, config, "")
    result = plain(settings)
    faults = faults_between_sections(result) + faults_of_choices(result)
    for pair in known_systems(result).values():
        faults += faults_of_system(result, *pair)
    told = {_key_in(fault) for fault in faults}
    of_classes = [fault for pair in result["models"].items() for fault in with_settings_of_classes(*pair)]
    faults += [fault for fault in of_classes if _key_in(fault) not in told]
    if not faults:  # else a value may be of another type
        for model, size in configured_systems(result).values():
            front_end = front_end_of(result, model, size)
            hop_length = result["front_ends"][front_end]["hop_length"]
            faults += faults_of_hop_length(model, size, result["models"][model], front_end, hop_length)
    if faults:
        raise UserError("\n".join(dict.fromkeys(faults)))
    return result


def _key_in(fault: str) -> str:
    return fault.partition(": ")[0]
