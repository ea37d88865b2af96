"""What a training is asked to do: the system, what it reads, with what means, and the files that it leaves."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vocoder_pareto.audio.front_end import front_end_of
from vocoder_pareto.study.code_version import code_version, module_file
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.study.sections.training import CarbonSettings, TrainingSettings
from vocoder_pareto.study.sections.weights import WeightsSettings
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.training.budget import Budget
from vocoder_pareto.training.identity import TrainingIdentity
from vocoder_pareto.training.state import digest_of_files


@dataclass(frozen=True)
class TrainingJob:
    """A training, and what it reads.

    Attributes:
        system: The system to train.
        settings: For how long and with what means it is trained.
        clips, table, mels: The files of the dataset, `clips.npy`, `clips.csv` and `mels.npy`.
        state_root: The folder below which the training keeps its state, in a folder that is named by its digest.
        device: One of `auto`, `cpu`, `cuda` and `cuda:N`.
        seed: The seed of the study.
        meter: The settings of the energy meter.
        carbon: How energy becomes emissions.
        mel_stats: The file of the dataset that tells what made its mel-spectrograms, `mel_stats.json`; with None the
            checkpoint does not tell.
        weights: What the configuration tells of the weights that take the place of the training, `settings.checkpoint`.
    """

    system: SystemSettings
    settings: TrainingSettings
    clips: Path
    table: Path
    mels: Path
    state_root: Path
    device: str = "auto"
    seed: int = 0
    meter: MeterSettings = field(default_factory=MeterSettings)
    carbon: CarbonSettings = field(default_factory=CarbonSettings)
    mel_stats: Path | None = None
    weights: WeightsSettings | None = None

    @property
    def budget(self) -> Budget:
        """What the training may use."""
        return Budget.of(self.settings)

    @property
    def data_seed(self) -> int:
        """The seed of the order of the clips and of the noise of steps."""
        return self.own_seed if self.settings.data_seed is None else self.settings.data_seed

    @property
    def own_seed(self) -> int:
        """The seed of the first weights, and of all else where the settings have no `data_seed`."""
        return self.seed if self.settings.seed is None else self.settings.seed

    def identity(self) -> TrainingIdentity:
        """Return all that the weights depend on, but for the budget and the device.

        That is the system but for its sampling, the settings that matter to the weights, the seed, the dataset, and the
        code of the vocoder, its objective, the step and the order of the data.

        Raises:
            UserError: A file of the dataset cannot be read.
        """
        root = Path(__file__).parents[2]
        own = [module_file(path, root) for path in (self.system.vocoder, self.system.objective) if path]
        step, order = (Path(__file__).with_name(name) for name in ("module.py", "batches.py"))
        code = code_version([*own, step, order], root, "train")
        return TrainingIdentity.of(self.system, self.settings, self.own_seed, code, self.data_digest())

    def data_digest(self) -> str:
        """Return 16 hex digits for the files of the dataset.

        Raises:
            UserError: One of them cannot be read.
        """
        return digest_of_files(self.clips, self.table, self.mels)

    def front_end(self) -> dict[str, Any] | None:
        """Return what made the mel-spectrograms, see `front_end_of`; None without `mel_stats`.

        Raises:
            UserError: That file is missing or damaged.
        """
        return None if self.mel_stats is None else front_end_of(self.mel_stats)

    def digest(self) -> str:
        """Return 16 hex digits for `identity`, which name the folder of the state."""
        return self.identity().digest


@dataclass(frozen=True)
class TrainingOutputs:
    """The files that a training writes when it is over.

    Attributes:
        checkpoint: The weights for inference.
        summary: What is to be said of the training, as JSON.
        metrics: The training curve, as CSV.
    """

    checkpoint: Path
    summary: Path
    metrics: Path
