"""How long, and with what means, a system is trained; how energy becomes emissions."""

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.sections.paths import OptionalPath
from vocoder_pareto.study.settings import LARGEST_SEED, STRICT, plain
from vocoder_pareto.units import JOULES_PER_KWH

# What may change between two pieces of the same training; its seed is told apart.
NOT_IN_DIGEST = (
    "steps", "hours", "energy_kwh", "data_on_device", "workers", "checkpoint_minutes", "log_every_steps",
    "validation_every_steps", "validation_clips", "meter_seconds", "on_missing_meter", "retries", "job_hours",
    "other_code", "older_states", "validation_shares", "bands", "seed",
)  # fmt: skip


# What the weights do not depend on once the budget is told; given weights are told by what their file holds.
BESIDE_WEIGHTS = tuple(key for key in (*NOT_IN_DIGEST, "checkpoint") if key != "seed")


@dataclass(frozen=True, config=STRICT)
class TrainingSettings:
    """The means of a training, as opposed to the recipe of a family (`Objective.Recipe`)."""

    steps: int | None = Field(default=0, ge=0, le=1_000_000_000)
    """The budget, over all resumed pieces, set-up and steps that a kill takes excluded; whichever is reached first ends
    the training. null: no bound; at least one of steps, hours and energy_kwh is a number. steps: steps of optimisation;
    0 trains nothing: the weights stay as they are initialised, and the system has a cost and no audio to judge."""

    hours: float | None = Field(default=None, gt=0, le=100_000)
    """Hours of training."""

    energy_kwh: float | None = Field(default=None, gt=0, le=10_000_000)
    """Kilowatt-hours as measured (see meter), of the steps that count."""

    batch_size: Annotated[int, Field(ge=1, le=65_536)] | Literal["auto"] = 1
    """Clips per step (>= 1), or auto: the largest batch that fits the GPU, searched once and kept in the training
    state."""

    segment_frames: int | None = Field(default=16, ge=1, le=1_000_000)
    """Frames of the random part of each clip that a step takes (>= 1), or null: whole clips (the paper's 64 frames)."""

    batch_size_margin: float = Field(default=0.9, gt=0, le=1)
    """Share of that largest batch which auto takes (0 to 1)."""

    precision: Literal["32", "bf16-mixed", "16-mixed"] = "32"
    """Arithmetic: "32" (the paper's) | bf16-mixed | 16-mixed."""

    tf32: bool = False
    """TF32 matrix products on NVIDIA GPUs from Ampere on: true | false (the paper's float32)."""

    compile: bool = False
    """Compile the losses with torch.compile: true | false. Pays after the first minutes on a GPU."""

    gradient_clip: float | None = Field(default=None, gt=0, le=1_000_000)
    """Largest norm of the gradients of a step (> 0), or null. WaveFlow and WaveGrad set it below."""

    data_on_device: bool = True
    """Keep all training clips on the GPU (LJSpeech: about 1 GB): true | false. Without a GPU they are read from
    disk."""

    workers: int = Field(default=0, ge=0, le=1024)
    """Processes that load data where they are not on the GPU (>= 0); 0 loads in the training process."""

    checkpoint_minutes: float = Field(default=10.0, gt=0, le=100_000)
    """Minutes between saved states (> 0): what a kill can cost."""

    older_states: int = Field(default=3, ge=0, le=10_000)
    """States that are kept beside the newest two (>= 0), at growing distances in steps, to go back to after a
    divergence. Where the disk is full they go first."""

    log_every_steps: int = Field(default=50, ge=1, le=1_000_000_000)
    """Steps between rows of the training curve (>= 1)."""

    validation_every_steps: int | None = Field(default=None, ge=1, le=1_000_000_000)
    """Steps between validations (>= 1), or null: one at the end."""

    validation_shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = ()
    """Shares of the budget (more than 0, at most 1) at which validations take place, too; [] for none. So the curves of
    systems whose steps take different times have points at the same shares of their budgets."""

    bands: OptionalPath = None
    """Table of the bands of a run that went well, training_bands.csv of a finished study, or null. At
    validation_shares the log tells whether the curve of a system is within its bands, and warns where it is worse. Of
    a larger budget than the table has, the curve is held against the largest there is: at the same share it must not be
    worse. Of a smaller budget, one with other bounds, or a system that it lacks, the log says once that it has none."""

    validation_clips: int = Field(default=0, ge=0, le=1_000_000)
    """Test clips that a validation generates (>= 0; 0: no validation)."""

    meter_seconds: float = Field(default=5.0, gt=0, le=3600)
    """Seconds between readings of the energy meter (> 0), so that no counter can wrap unseen."""

    on_missing_meter: Literal["error", "train"] = "error"
    """Where no counter tells the energy of the device, such as a MIG slice or a GPU that tells neither energy nor
    power: error (end before anything is computed) | train (its energy stays unknown; a budget of energy_kwh is still an
    error)."""

    checkpoint: OptionalPath = None
    """Weights to use instead of training: a checkpoint of this study, a state_dict (.pt) or .safetensors, or null. Set
    it for one size: models.hifigan.sizes.L.training.checkpoint."""

    other_code: Literal["refuse", "adopt", "restart"] = "refuse"
    """Where a training would begin, though there is a state of the same system, settings, seed and data that other code
    made, as after an upgrade: refuse (an error that names the modules and the hours; a state of fewer than
    checkpoint_minutes counts as none) | adopt (go on from it, and say so in the summary) | restart (begin at step
    0)."""

    seed: int | None = Field(default=None, ge=0, le=LARGEST_SEED)
    """Seed of the first weights, of the order of the clips and of the noise of steps (>= 0), or null: that of the
    study. Sizes of a model that differ in it alone are trainings of one system, whose spread enters the intervals of
    quality (docs/analysis.md)."""

    data_seed: int | None = Field(default=None, ge=0, le=LARGEST_SEED)
    """Seed of the order of the clips and of the noise of steps (>= 0), or null: seed, or that of the study. Another one
    lets a branch meet other batches."""

    branch_from: str | None = Field(default=None, pattern="^[0-9a-f]{16}$")
    """State that a training begins with instead of step 0: the name of its folder in training/{system}/, 16 hexadecimal
    digits in quotes, or null. learning_rate, gradient_clip, data_seed and precision may differ, and nothing else. Set
    it for one size, as after a divergence (docs/training.md)."""

    branch_step: int | None = Field(default=None, ge=1, le=1_000_000_000)
    """With branch_from: the newest of its states of at most so many steps (>= 1), or null: the newest."""

    retries: int = Field(default=0, ge=0, le=1000)
    """How often Snakemake starts a failed training again (>= 0). It resumes, so this carries jobs over time limits;
    after the same divergence twice it does not train again."""

    job_hours: float = Field(default=24.0, ge=0.1, le=10_000)
    """Hours that a cluster is asked for per job of a training (>= 0.1): at most the time limit of the partition, since
    a longer job waits for ever. A training goes on in its next job, as often as `retries` says."""

    @property
    def is_untrained(self) -> bool:
        """Whether the weights are those that the network is initialised with: neither given nor trained."""
        return self.steps == 0 and self.checkpoint is None

    def determining(self) -> dict[str, Any]:
        """What the weights depend on, as plain values: the budget, and what is not in `BESIDE_WEIGHTS`."""
        budget = ("steps", "hours", "energy_kwh")
        return {key: value for key, value in plain(self).items() if key in budget or key not in BESIDE_WEIGHTS}

    def __post_init__(self):
        if self.branch_step is not None and self.branch_from is None:
            raise ValueError("branch_step belongs to branch_from, which is null; set both or none")
        if self.steps is None and self.hours is None and self.energy_kwh is None:
            raise ValueError("no budget; set at least one of steps, hours, energy_kwh")
        if self.steps == 0 and (self.hours is not None or self.energy_kwh is not None):
            raise ValueError("0 steps leave hours and energy_kwh unused; set steps: null to train by these alone")


@dataclass(frozen=True, config=STRICT)
class CarbonSettings:
    """How energy becomes emissions."""

    intensity_kg_per_kwh: float = Field(default=0.7, ge=0, le=10)
    """kgCO2eq per kWh of electricity (>= 0)."""

    intensity_source: str = "Douwes et al. 2023, statement on CO2 emissions"
    """Where that number comes from."""

    intensity_year: int | None = Field(default=2022, ge=1900, le=2100)
    """The year that it holds for, or null."""

    power_usage_effectiveness: float = Field(default=1.0, ge=1, le=10)
    """Energy of the site per energy of its computers (>= 1)."""

    location: str | None = None
    """Where the electricity comes from, as cards state it (Brittany, France), or null."""

    embodied_kg: float | None = Field(default=None, ge=0, le=1_000_000)
    """kgCO2eq of making the device (>= 0), or null where it is not known. With `lifetime_hours` it becomes M of the
    Software Carbon Intensity; without them, cards state that intensity without M."""

    lifetime_hours: float | None = Field(default=None, gt=0, le=10_000_000)
    """Hours that the device will compute in its life (> 0), or null."""

    @property
    def kg_per_joule(self) -> float:
        """kgCO2eq per joule of the computer."""
        return self.intensity_kg_per_kwh * self.power_usage_effectiveness / JOULES_PER_KWH

    @property
    def embodied_kg_per_hour(self) -> float | None:
        """kgCO2eq of making the device, per hour that it computes; None where it is not known."""
        if self.embodied_kg is None or self.lifetime_hours is None:
            return None
        return self.embodied_kg / self.lifetime_hours

    def __post_init__(self):
        if (self.embodied_kg is None) != (self.lifetime_hours is None):
            raise ValueError("embodied_kg and lifetime_hours belong together; set both or none")
