"""Which device a program runs on."""

import re

import torch

from vocoder_pareto.errors import UserError


def torch_device(name: str) -> torch.device:
    """The device called `auto` (a GPU if PyTorch sees one, else the CPU), `cpu` or `cuda:N`.

    Raises:
        UserError: another name, or a GPU that PyTorch does not see.
    """
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    match = re.fullmatch(r"cuda(?::(\d+))?", name)
    if not match:
        raise UserError(f"config key device: {name!r} is not allowed; expected auto | cpu | cuda:N")
    index = int(match[1] or 0)
    visible = torch.cuda.device_count()
    if index >= visible:
        raise UserError(
            f"config key device: {name!r}, but PyTorch sees {visible} GPU(s); write cpu or auto, "
            "or check the driver (nvidia-smi) and CUDA_VISIBLE_DEVICES"
        )
    return torch.device("cuda", index)
