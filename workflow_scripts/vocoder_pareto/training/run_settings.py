"""How long and with what means a system is trained: the section `training` of the configuration."""

from dataclasses import dataclass
from typing import Literal

POSITIVE = (
    "steps", "hours", "energy_kwh", "batch_size", "segment_frames", "batch_size_margin", "gradient_clip",
    "checkpoint_minutes", "log_every_steps", "validation_every_steps", "meter_seconds",
)  # fmt: skip
# What a run may change between two pieces of the same training.
NOT_IN_DIGEST = (
    "steps", "hours", "energy_kwh", "data_on_device", "workers", "checkpoint_minutes", "log_every_steps",
    "validation_every_steps", "validation_clips", "meter_seconds", "on_missing_meter", "retries",
)  # fmt: skip


@dataclass(frozen=True)
class RunSettings:
    """Settings of the loop, as opposed to the recipe of a family (`Objective.Recipe`).

    Attributes:
        steps, hours, energy_kwh: the budget; whichever is reached first ends the training. At least one is set.
        batch_size: clips per step; `auto` searches the largest that fits the GPU.
        segment_frames: frames of the random part of each clip that a step takes; None: whole clips, as the paper.
        batch_size_margin: share of the largest fitting batch that `auto` takes.
        precision: of the network's arithmetic.
        tf32: whether float32 matrix products may use TF32 on a GPU.
        compile: whether the loss is compiled.
        gradient_clip: largest norm of the gradients of a turn, or None.
        data_on_device: whether all training clips live on the GPU, if there is one.
        workers: processes that load data which do not live on the GPU; 0 loads in the training process.
        checkpoint_minutes: between saved states.
        log_every_steps: between rows of metrics.csv.
        validation_every_steps: between validations; there is one at the end in any case. None: at the end only.
        validation_clips: test clips that a validation generates; 0: none.
        meter_seconds: between readings of the energy meter, so that counters cannot wrap unseen.
        on_missing_meter: `error` refuses to train where no counter tells the energy of the device (a MIG slice, say);
            `train` goes on, and the energy stays unknown.
        checkpoint: file of given weights, instead of training.
        retries: how often Snakemake starts a failed training again; nothing to the training itself.
    """

    steps: int | None = None
    hours: float | None = None
    energy_kwh: float | None = None
    batch_size: int | Literal["auto"] = 1
    segment_frames: int | None = None
    batch_size_margin: float = 0.9
    precision: Literal["32", "bf16-mixed", "16-mixed"] = "32"
    tf32: bool = False
    compile: bool = False
    gradient_clip: float | None = None
    data_on_device: bool = True
    workers: int = 0
    checkpoint_minutes: float = 10.0
    log_every_steps: int = 50
    validation_every_steps: int | None = None
    validation_clips: int = 1
    meter_seconds: float = 5.0
    on_missing_meter: Literal["error", "train"] = "error"
    checkpoint: str | None = None
    retries: int = 0

    def __post_init__(self):
        if self.steps is None and self.hours is None and self.energy_kwh is None:
            raise ValueError("no budget; set at least one of steps, hours, energy_kwh")
        for name in POSITIVE:
            value = getattr(self, name)
            if isinstance(value, int | float) and value <= 0:
                raise ValueError(f"{name} is {value:g}; must be greater than 0")
