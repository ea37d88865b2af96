"""From the configured name of a device to a device that exists."""

import re

import torch

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.gpu_makers import gpu_makers


def resolve_device(name: str | torch.device) -> torch.device:
    """`auto` (the first GPU if there is one, else the CPU), `cpu`, `cuda` (the first GPU) or `cuda:N` → the device.

    Raises:
        UserError: another name, or a GPU that PyTorch does not see.
    """
    if isinstance(name, torch.device):
        name = str(name)
    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if name == "auto":
        return torch.device(gpus[0] if gpus else "cpu")
    if not isinstance(name, str) or not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise UserError(f"config key device: {name!r} is not allowed; allowed: auto | cpu | cuda | cuda:N")
    indexed = "cuda:0" if name == "cuda" else name
    if indexed == "cpu" or indexed in gpus:
        return torch.device(indexed)
    if not gpus and torch.version.hip is None and gpu_makers() == {"AMD"}:
        raise UserError(
            f"config key device: there is no {name}; the GPU here is AMD's, and this PyTorch is built without ROCm. "
            "Install the build for ROCm (pytorch.org), or set device to auto or cpu"
        )
    here = f"PyTorch sees {', '.join(gpus)}" if gpus else "PyTorch sees no GPU here"
    raise UserError(
        f"config key device: there is no {name}; {here}. "
        "Set device to auto or cpu, or check nvidia-smi, CUDA_VISIBLE_DEVICES and the CUDA version of PyTorch"
    )
