"""Whether a vocoder goes to a GPU as a whole: on the one that is there, or on a simulated one.

The simulated one has tensors with a device and a shape but no content, and refuses to mix devices as a real one does.
"""

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from vocoder_pareto.conformance.candidate import Candidate, LeftOut, Mend, difference, generators, require_close
from vocoder_pareto.errors import first_line
from vocoder_pareto.models.vocoder import Vocoder, copied
from vocoder_pareto.models.waveforms import require_form

FRAMES = 9
_GPU = torch.device("cuda", 0)
_MEND = "make new tensors where the input is, as by torch.zeros(…, device=mel.device), and keep others as buffers"


def check_device(candidate: Candidate) -> str:
    """It goes to another device as a whole, and makes its tensors there."""
    vocoder = candidate.prepared()
    left = [
        ".".join(filter(None, [name, attribute]))
        for name, module in vocoder.named_modules()
        for attribute, value in vars(module).items()
        if isinstance(value, Tensor) and not isinstance(value, nn.Parameter)
    ]
    if left:
        raise Mend(f"moved to a GPU it leaves {', '.join(left[:3])} behind; make them buffers (register_buffer)")
    if torch.cuda.is_available():
        return _on_the_gpu(vocoder, candidate)
    _on_a_simulated_gpu(vocoder, candidate)
    return "on a simulated GPU"


def _on_the_gpu(vocoder: Vocoder, candidate: Candidate) -> str:
    mel = candidate.mel(FRAMES)
    expected = vocoder.synthesize(mel, generators())
    draws_noise = difference(vocoder.synthesize(mel, torch.Generator().manual_seed(1)), expected) > 0
    audio = copied(vocoder).to(_GPU).prepare_for_inference().synthesize(mel.to(_GPU)).cpu()
    if draws_noise:
        return "on a GPU, whose noise is another one"
    require_close(audio, expected, "its audio on the GPU", "compute in float32 there too")
    return "on a GPU"


def _on_a_simulated_gpu(vocoder: Vocoder, candidate: Candidate) -> None:
    shape = candidate.mel(FRAMES).shape
    try:
        with FakeTensorMode():
            mel = torch.rand(shape, device=_GPU)
            require_form(_moved(vocoder).generate(mel), mel, vocoder.hop_length, vocoder.name)
    except (AssertionError, NotImplementedError, RuntimeError, TypeError) as error:
        if "device" in str(error) or "FakeTensors" in str(error):  # which a tensor from before the move is not
            raise Mend(f"it mixes tensors of two devices ({first_line(error)}); {_MEND}") from error
        raise LeftOut(f"it reads values ({type(error).__name__}), so it could not be tried without a GPU") from error


def _moved(vocoder: Vocoder) -> Vocoder:
    """What `vocoder.to` does, in place: parameters and buffers move, and nothing else."""
    for part in vocoder.modules():
        for name, weight in part._parameters.items():
            if weight is not None:
                moved = torch.empty(weight.shape, dtype=weight.dtype, device=_GPU)
                part._parameters[name] = nn.Parameter(moved, requires_grad=False)
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype, device=_GPU)
    return vocoder
