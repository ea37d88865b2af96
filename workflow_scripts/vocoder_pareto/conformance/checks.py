"""What the study asks of a vocoder, one function for each demand; all vocoders of this project fulfil them.

A check returns a remark, or an empty text; it raises `Mend` where the vocoder must be mended, and `LeftOut` where the
demand is none for this one.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from vocoder_pareto.conformance.candidate import Candidate, LeftOut, Mend, alike, generators, require_close
from vocoder_pareto.conformance.device_check import check_device
from vocoder_pareto.import_paths import load_class
from vocoder_pareto.measurement.complexity import parameter_count
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.checkpoint import load_vocoder, save_checkpoint
from vocoder_pareto.models.vocoder import Vocoder, copied, old_weight_norms
from vocoder_pareto.models.waveforms import changed_sources, own_noise_alone, require_sound, shared_sources

FRAMES = 9
MANY_FRAMES = 24
LENGTHS = (1, 2, 3, FRAMES, MANY_FRAMES)
CHUNKS = (4, 7)

Check = Callable[[Candidate], str]


def check_import(candidate: Candidate) -> str:
    """The import draws no random numbers and changes nothing that the whole process shares."""
    sources = shared_sources()
    with _process_left_alone("the import of its file"):
        load_class(candidate.system.vocoder, "vocoder")
    if drawn := changed_sources(sources):
        raise Mend(
            f"the import of its file draws from or seeds {' and '.join(drawn)}; leave that to calls of its class"
        )
    return ""


def check_build(candidate: Candidate) -> str:
    """It is built by its settings, and the seed alone decides its weights."""
    with _process_left_alone("building it"):
        first = candidate.built().state_dict()
    torch.rand(3)
    second = candidate.built().state_dict()
    if first.keys() != second.keys():
        raise Mend("built twice it has other weights by name; name its modules the same each time")
    changed = [name for name, weight in first.items() if not _same(weight, second[name])]
    if changed:
        raise Mend(
            f"built twice from one seed it has other values in {', '.join(changed[:3])}; draw first weights by "
            "PyTorch's generator alone, from the state that it is in"
        )
    return ""


def check_weights(candidate: Candidate) -> str:
    """Its weights are finite, and known to PyTorch."""
    vocoder = candidate.built()
    broken = [name for name, weight in vocoder.named_parameters() if not torch.isfinite(weight).all()]
    if broken:
        raise Mend(f"as built, {', '.join(broken[:3])} hold NaN or Inf; mend how they are initialised")
    count = parameter_count(vocoder)
    if not count:
        raise LeftOut(
            "it has no parameters, so nothing can be trained or loaded; a network inside of a function is not seen: "
            "make it an attribute, or return the module itself from build"
        )
    return f"{count:,} parameters"


def check_length(candidate: Candidate) -> str:
    """It makes hop_length samples of every frame, however many there are, in a batch too."""
    vocoder = candidate.prepared()
    for frames in LENGTHS:
        for clips in (1, 2):
            vocoder.synthesize(candidate.mel(frames, clips), generators(clips))
    return f"{', '.join(map(str, LENGTHS))} frames"


def check_sound(candidate: Candidate) -> str:
    """Its samples are finite and within full scale."""
    audio = candidate.prepared().synthesize(candidate.mel(MANY_FRAMES), generators())
    require_sound(audio, candidate.system.name)
    return f"samples up to {float(audio.abs().max()):.2g}"


def check_seed(candidate: Candidate) -> str:
    """Its audio follows from input and seed, whatever else drew random numbers before."""
    vocoder, mel = candidate.prepared(), candidate.mel(FRAMES)
    with own_noise_alone(candidate.system.name), _process_left_alone("generating"):
        first = vocoder.synthesize(mel, generators())
    torch.manual_seed(12345)
    again = vocoder.synthesize(mel, generators())
    if not torch.equal(first, again):
        raise Mend(
            "the same seed gives other audio; draw by draw_noise(shape, like, generator), and keep nothing from one "
            "call to the next"
        )
    vocoder.synthesize(mel, generators()[0])
    vocoder.synthesize(mel)
    return ""


def check_batch(candidate: Candidate) -> str:
    """A clip is the same alone and in a batch."""

    def both(vocoder: Vocoder, mel: Tensor) -> tuple[Tensor, Tensor]:
        alone = [vocoder.synthesize(clip, [source]) for clip, source in zip(mel.split(1), generators(3), strict=True)]
        return vocoder.synthesize(mel, generators(3)), torch.cat(alone)

    return alike(
        candidate.prepared(), candidate.mel(FRAMES, 3), both, "the audio of a clip in a batch and alone",
        "normalise no value over the batch, and draw noise by draw_noise with all generators",
    )  # fmt: skip


def check_input(candidate: Candidate) -> str:
    """It leaves its input as it is."""
    mel = candidate.mel(FRAMES)
    candidate.prepared().synthesize(mel, generators())
    if not torch.equal(mel, candidate.mel(FRAMES)):
        raise Mend("it changes its input; compute in place on a copy alone, as mel.clone()")
    return ""


def check_folding(candidate: Candidate) -> str:
    """Prepared for inference it has plain weights, and the audio that it had before."""

    def both(vocoder: Vocoder, mel: Tensor) -> tuple[Tensor, Tensor]:
        before = vocoder.synthesize(mel, generators())
        return vocoder.prepare_for_inference().prepare_for_inference().synthesize(mel, generators()), before

    mend = "call super().prepare_for_inference() and change no value by it, nor by calling it twice"
    remark = alike(candidate.built(), candidate.mel(FRAMES), both, "its audio after prepare_for_inference", mend)
    vocoder = candidate.prepared()
    normed = [name for name, module in vocoder.named_modules() if parametrize.is_parametrized(module)]
    normed += [name for name, module in vocoder.named_modules() if any(old_weight_norms(module, recurse=False))]
    if normed or vocoder.training:
        what = f"weights of {normed[0]} are still computed at every call" if normed else "it is still in training mode"
        raise Mend(f"after prepare_for_inference {what}; {mend}")
    return remark


def check_copy(candidate: Candidate) -> str:
    """A copy gives the same audio, and shares no weights: operations are counted on one."""
    vocoder, mel = candidate.built(), candidate.mel(FRAMES)
    copy = copied(vocoder)
    require_close(
        copy.synthesize(mel, generators()), vocoder.synthesize(mel, generators()), "the audio of copy.deepcopy",
        "keep what it computes with as attributes, and in no global or closure",
    )  # fmt: skip
    shared = {weight.data_ptr() for weight in vocoder.parameters()} & {
        weight.data_ptr() for weight in copy.parameters()
    }
    if shared - {0}:
        raise Mend("copy.deepcopy shares its weights; leave __deepcopy__ to PyTorch")
    return ""


def check_checkpoint(candidate: Candidate) -> str:
    """All that decides its audio is in a checkpoint."""
    vocoder, mel = candidate.built(), candidate.mel(FRAMES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checked.ckpt"
        save_checkpoint(path, vocoder, candidate.system, {"steps": None})
        torch.manual_seed(54321)
        loaded = load_vocoder(path, candidate.system)[0].eval()
    require_close(
        loaded.synthesize(mel, generators()), vocoder.synthesize(mel, generators()), "its audio after save and load",
        "keep tensors as parameters or buffers (register_buffer): others are not saved",
    )  # fmt: skip
    return ""


def check_plain_form(candidate: Candidate) -> str:
    """The fast form computes what the plain one does."""

    def both(vocoder: Vocoder, mel: Tensor) -> tuple[Tensor, Tensor]:
        with torch.inference_mode():
            return vocoder.synthesize(mel, generators()), vocoder.generate_plainly(mel, generators())

    vocoder = candidate.prepared()
    if type(vocoder).generate_plainly is Vocoder.generate_plainly:
        raise LeftOut("generate is the plain form")
    mend = "mend the one that is wrong"
    return alike(vocoder, candidate.mel(FRAMES), both, "what generate and generate_plainly give", mend)


def check_operations(candidate: Candidate) -> str:
    """Its multiply-accumulates can be counted."""
    vocoder = candidate.built()
    with _warnings_of("vocoder_pareto.measurement.flops") as warnings:
        fast = count_operations(vocoder, FRAMES)
        count_operations(vocoder, FRAMES, plainly=True)
    if not fast.macs:
        raise LeftOut("no counter sees any, so its FLOPs stay unknown; what NumPy does is not counted")
    seconds = FRAMES * candidate.system.hop_length / candidate.system.sample_rate
    remarks = [f"{2e-9 * fast.macs / seconds:.3g} GFLOPs per second of audio", *dict.fromkeys(warnings)]
    return "; ".join(remarks)


def check_chunks(candidate: Candidate) -> str:
    """Chunk by chunk it gives the audio of the whole clip, if it says how far it sees."""
    vocoder, mel = candidate.prepared(), candidate.mel(MANY_FRAMES)
    try:
        context = vocoder.context_frames()
    except NotImplementedError:
        raise LeftOut("it has no context_frames, so generation.chunk_frames cannot be used with it") from None
    mend = f"say more context_frames than {context}, and draw noise for the whole clip in generate_in_chunks"
    remarks = [f"{context} frames of context"]
    for chunk_frames in CHUNKS:

        def both(vocoder: Vocoder, mel: Tensor, size: int = chunk_frames) -> tuple[Tensor, Tensor]:
            pieces = vocoder.synthesize_in_chunks(mel, size, generators())
            return pieces, vocoder.synthesize(mel, generators())

        remarks.append(alike(vocoder, mel, both, f"its audio in chunks of {chunk_frames} frames", mend))
    return "; ".join(dict.fromkeys(filter(None, remarks)))


def _same(one: Tensor, other: Tensor) -> bool:
    """Whether two weights have the same values, NaN among them."""
    return one.shape == other.shape and bool(((one == other) | ((one != one) & (other != other))).all())


@contextmanager
def _process_left_alone(what: str) -> Iterator[None]:
    before = _process()
    yield
    changed = [name for name, value in _process().items() if value != before[name]]
    if changed:
        raise Mend(f"{what} changes {' and '.join(changed)} of the whole process; leave that to the study")


def _process() -> dict[str, Any]:
    """What the whole process shares, by its names for readers."""
    return {
        "the number of threads": torch.get_num_threads(),
        "the default type": torch.get_default_dtype(),
        "the default device": torch.get_default_device(),
        "gradient mode": torch.is_grad_enabled(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "TF32": (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32),
        "cudnn.benchmark": torch.backends.cudnn.benchmark,
        "the working folder": os.getcwd(),
    }


@contextmanager
def _warnings_of(logger: str) -> Iterator[list[str]]:
    """What `logger` warns of within, which it shows to nobody else."""
    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger(logger)
    before = log.propagate
    log.addHandler(handler)
    log.propagate = False
    try:
        yield told
    finally:
        log.removeHandler(handler)
        log.propagate = before


# In the order in which they are made: what is built must be imported before.
FIRST: tuple[tuple[str, Check], ...] = (("import", check_import), ("build", check_build))
CHECKS: tuple[tuple[str, Check], ...] = (
    ("weights", check_weights),
    ("length", check_length),
    ("sound", check_sound),
    ("seed", check_seed),
    ("batch", check_batch),
    ("input", check_input),
    ("folding", check_folding),
    ("copy", check_copy),
    ("checkpoint", check_checkpoint),
    ("plain form", check_plain_form),
    ("operations", check_operations),
    ("device", check_device),
    ("chunks", check_chunks),
)
