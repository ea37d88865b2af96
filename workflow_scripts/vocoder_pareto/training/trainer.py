"""Lightning's trainer as a training needs it: on one device, with nothing of its own around the steps."""

import logging
import warnings

import lightning
import torch
from lightning.pytorch.plugins.environments import LightningEnvironment

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.training import TrainingSettings

# Advice of Lightning that does not hold here, in logs that people read.
logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
for _advice in ("The `srun` command is available", "The 'train_dataloader' does not have many", ".*LeafSpec"):
    warnings.filterwarnings("ignore", message=_advice)


def make_trainer(
    device: torch.device, settings: TrainingSettings, callbacks: list[lightning.Callback]
) -> lightning.Trainer:
    """Return a trainer without logs, checkpoints and bars of its own, which runs until a callback stops it.

    On a GPU it also sets, for the whole process, whether float32 matrix products may use TF32.

    Raises:
        UserError: The precision needs a GPU, and `device` is none.
    """
    gpu = device.type == "cuda"
    if gpu:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = settings.tf32
    elif settings.precision == "16-mixed":
        raise UserError("config key training.precision: 16-mixed needs a GPU; take 32 or bf16-mixed on a CPU")
    return lightning.Trainer(
        accelerator="gpu" if gpu else "cpu",
        devices=[device.index or 0] if gpu else 1,
        precision="32-true" if settings.precision == "32" else settings.precision,
        benchmark=gpu,  # shapes do not change, so cuDNN's search for the fastest algorithms pays
        max_epochs=-1,
        callbacks=callbacks,
        plugins=[LightningEnvironment()],  # a Slurm job is one process here, whatever Slurm was asked for
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
