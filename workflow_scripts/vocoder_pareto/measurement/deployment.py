"""Forms in which a vocoder is put to work: the same weights, computed by another runtime or in other numbers.

    pytorch            `generate` in float32, as everywhere in the study: what the others are compared with
    torch_compile      the same, compiled for its shape by PyTorch's own compiler; of diffusion a step
    onnxruntime        exported as ONNX for its shape, run by ONNX Runtime on the CPU; of diffusion a step, as it stands
                       in training: what `generate` keeps from step to step is computed anew in each
    onnxruntime_int8   the same, with the weights of convolutions and products of matrices as 8-bit integers, and their
                       inputs made so at each call (dynamic quantisation)

A vocoder in another form is a `Vocoder` again, so that the protocol measures it as any other. ONNX Runtime gets as many
threads as PyTorch has, and they do not spin while they wait. Its packages are optional; where one is missing, a vocoder
cannot be exported, or the device is a GPU, the form is refused with the reason.
"""

import logging
import tempfile
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.models.diffusion import DiffusionVocoder, NoisePredictor
from vocoder_pareto.models.vocoder import Generators, Vocoder
from vocoder_pareto.study.sections.measurement import DeploymentForm

ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
ONNX_FORMS: tuple[DeploymentForm, ...] = ("onnxruntime", "onnxruntime_int8")


class UnsupportedForm(UserError):
    """A vocoder cannot be had in a form."""


class OtherForm(Vocoder):
    """A prepared vocoder that generates in another form.

    Attributes:
        vocoder: The vocoder that it is a form of.
    """

    def __init__(self, vocoder: Vocoder):
        super().__init__(vocoder.architecture, vocoder.sampling, vocoder.n_mels, vocoder.hop_length)
        self.vocoder = vocoder
        self.name = vocoder.name

    def prepare_for_inference(self) -> Self:
        """See `Vocoder`: as the vocoder itself prepares."""
        self.vocoder.prepare_for_inference()
        return self.eval()

    @abstractmethod
    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`."""


class InChunks(OtherForm):
    """A vocoder that generates piece by piece, `chunk_frames` frames at a time."""

    def __init__(self, vocoder: Vocoder, chunk_frames: int):
        super().__init__(vocoder)
        self.chunk_frames = chunk_frames

    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`."""
        return self.vocoder.generate_in_chunks(mel, self.chunk_frames, generator)


class Compiled(OtherForm):
    """A vocoder whose work is compiled for each shape that it meets; on a GPU it is one graph of its kernels.

    The loop over the steps of diffusion stays in Python. What it computes differs by rounding.
    """

    def prepare_for_inference(self) -> Self:
        """See `Vocoder`; the compiler starts at the first call of each shape."""
        super().prepare_for_inference()
        compile_vocoder(self.vocoder)
        return self

    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`.

        Raises:
            UnsupportedForm: The compiler fails, as where there is no compiler of C++.
        """
        try:
            return self.vocoder.generate(mel, generator)
        except torch._dynamo.exc.TorchDynamoException as error:
            raise UnsupportedForm(f"torch.compile fails: {first_line(error)}") from error


def compile_vocoder(vocoder: Vocoder) -> None:
    """Let `vocoder`, prepared and on its device, compile its work for each shape."""
    torch.compiler.reset()  # else it stops compiling after some systems, whose code objects are the same
    mode = "reduce-overhead" if vocoder.like.is_cuda else "default"
    if isinstance(vocoder, DiffusionVocoder):
        predictor = vocoder.noise_predictor
        vocoder.noise_predictor = lambda mel: torch.compile(predictor(mel), mode=mode)  # type: ignore[method-assign]
    else:
        vocoder.generate = torch.compile(vocoder.generate, mode=mode, dynamic=False)  # type: ignore[method-assign]


class OfOnnxRuntime(OtherForm):
    """A vocoder that ONNX Runtime computes, exported anew for each shape that it meets.

    Noise is drawn by ONNX Runtime, whatever the generator: audio with noise is another draw. Not so of diffusion, whose
    loop over the steps stays in Python, as its noise.

    Args:
        vocoder: The vocoder.
        quantised: Whether products are of 8-bit integers.
        folder: Where what was exported is kept, by its shape, and taken from if it is there; None: nowhere.
    """

    def __init__(self, vocoder: Vocoder, quantised: bool = False, folder: Path | None = None):
        super().__init__(vocoder)
        self.quantised = quantised
        self.folder = folder
        self._sessions: dict[torch.Size, Any] = {}

    def prepare_for_inference(self) -> Self:
        """See `Vocoder`.

        Raises:
            UnsupportedForm: The vocoder is on a GPU, or a package is missing.
        """
        if self.like.is_cuda:
            raise UnsupportedForm("ONNX Runtime is measured on a CPU; set device: cpu")
        missing = [name for name in ONNX_PACKAGES if not _installed(name)]
        if missing:
            raise UnsupportedForm(f"{' and '.join(missing)} missing; pip install {' '.join(missing)}")
        super().prepare_for_inference()
        if isinstance(self.vocoder, DiffusionVocoder):
            self.vocoder.noise_predictor = partial(self._noise_predictor, self.vocoder)  # type: ignore[method-assign]
        return self

    def export(self, mel: Tensor, folder: Path) -> Path:
        """Write what generates from inputs like `mel` into `folder`, if it is not there yet → its file.

        Raises:
            UnsupportedForm: It cannot be exported.
        """
        path = folder / f"{'x'.join(map(str, mel.shape))}.onnx"
        if not path.exists():
            try:
                _export(self.vocoder, mel, path)
            except Exception as error:  # the exporter raises whatever an operator that it does not know leads to
                raise UnsupportedForm(f"it cannot be exported as ONNX: {_reason(error)}") from error
        return path

    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`.

        Raises:
            UnsupportedForm: It cannot be exported, or ONNX Runtime cannot run what was exported.
        """
        if isinstance(self.vocoder, DiffusionVocoder):
            return self.vocoder.generate(mel, generator)
        return self._output(mel)

    @property
    def draws_noise_of_its_own(self) -> bool:
        """Whether its noise, if it has any, follows from no generator."""
        return not isinstance(self.vocoder, DiffusionVocoder)

    def _output(self, mel: Tensor, **others: Tensor) -> Tensor:
        """What the graph makes of `mel` and its `others`."""
        if mel.shape not in self._sessions:
            with tempfile.TemporaryDirectory() as folder:
                path = self.export(mel, self.folder or Path(folder))
                self._sessions[mel.shape] = _run(_session, path, self.quantised)
        inputs = {name: value.numpy() for name, value in {"mel": mel, **others}.items()}
        (output,) = _run(self._sessions[mel.shape].run, None, inputs)
        return torch.from_numpy(output)

    def _noise_predictor(self, vocoder: DiffusionVocoder, mel: Tensor) -> NoisePredictor:
        """See `DiffusionVocoder`."""
        levels = torch.tensor(vocoder.noise_levels, dtype=torch.float64)

        def predict(noisy: Tensor, step: int) -> Tensor:
            return self._output(mel, noisy=noisy, noise_level=levels[step - 1].expand(len(mel)))

        return predict


class _PlainNoise(TorchFunctionMode):
    """While entered, noise without a generator is drawn without naming it: no exporter knows it by that name."""

    def __torch_function__(self, function, types, arguments=(), options=None):
        options = dict(options or {})
        if "generator" in options and options["generator"] is None:
            del options["generator"]
        return function(*arguments, **options)


class _Generation(torch.nn.Module):
    """`generate` of a vocoder, or where it asks for it `generate_plainly`, as the `forward` that is exported."""

    def __init__(self, vocoder: Vocoder):
        super().__init__()
        self.vocoder = vocoder

    def forward(self, mel: Tensor) -> Tensor:
        with _PlainNoise():
            return self.vocoder.generate_plainly(mel) if self.vocoder.exports_plainly else self.vocoder.generate(mel)


class _Step(torch.nn.Module):
    """`predict_noise` of a diffusion vocoder as the `forward` that is exported."""

    def __init__(self, vocoder: DiffusionVocoder):
        super().__init__()
        self.vocoder = vocoder

    def forward(self, mel: Tensor, noisy: Tensor, noise_level: Tensor) -> Tensor:
        return self.vocoder.predict_noise(noisy, noise_level, mel)


def _run(function: Callable[..., Any], *arguments: Any) -> Any:
    """What `function` of ONNX Runtime returns, whose errors are of kinds of their own."""
    try:
        return function(*arguments)
    except Exception as error:
        raise UnsupportedForm(f"ONNX Runtime does not run it: {_reason(error)}") from error


def _session(path: Path, quantised: bool) -> Any:
    """ONNX Runtime with what was exported to `path`."""
    onnxruntime = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors alone
    path = _quantised(path) if quantised else path
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _export(vocoder: Vocoder, mel: Tensor, path: Path) -> None:
    for package in ("onnxscript", "onnx_ir", "torch.onnx"):  # which tell of every operator that they look at
        logging.getLogger(package).setLevel(logging.ERROR)
    # Tensors of inference mode cannot be traced, so both are of the usual kind here.
    with torch.inference_mode(False), torch.no_grad():
        inputs = {"mel": mel.clone()}
        network: torch.nn.Module = _Generation(vocoder)
        if isinstance(vocoder, DiffusionVocoder):
            inputs["noisy"] = torch.zeros(len(mel), mel.shape[2] * vocoder.hop_length)
            inputs["noise_level"] = torch.ones(len(mel), dtype=torch.float64)
            network = _Step(vocoder)
        program = torch.onnx.export(
            network.eval(), tuple(inputs.values()), dynamo=True, input_names=list(inputs), output_names=["output"],
            verbose=False,
        )  # fmt: skip
        if program is None:
            raise UnsupportedForm("the exporter gave nothing")
        program.save(path)


def _quantised(path: Path) -> Path:
    quantization = import_module("onnxruntime.quantization")
    prepared, smaller = path.with_name("prepared.onnx"), path.with_name("quantised.onnx")
    # Only weights that are no longer computed from others can be quantised: this computes them once.
    quantization.quant_pre_process(path, prepared, skip_symbolic_shape=True)
    # Convolutions of ONNX Runtime on a CPU take unsigned integers alone.
    quantization.quantize_dynamic(prepared, smaller, weight_type=quantization.QuantType.QUInt8)
    return smaller


def _installed(package: str) -> bool:
    try:
        import_module(package)
    except ImportError:
        return False
    return True


def _reason(error: Exception) -> str:
    """The innermost cause in one line: exporters wrap it in advice."""
    while isinstance(error.__cause__, Exception):
        error = error.__cause__
    return first_line(error)


def in_form(vocoder: Vocoder, form: DeploymentForm, folder: Path | None = None) -> Vocoder:
    """`vocoder` in `form`, to be prepared for inference; `pytorch` is itself. See `OfOnnxRuntime` for `folder`."""
    if form == "torch_compile":
        return Compiled(vocoder)
    if form in ONNX_FORMS:
        return OfOnnxRuntime(vocoder, quantised=form == "onnxruntime_int8", folder=folder)
    return vocoder
