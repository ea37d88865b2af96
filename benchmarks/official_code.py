"""Generation against the official code of each family, whose weight norm is removed first, alternately in one run.

    official     what the project of the family's authors (of WaveGrad and WaveFlow: the PyTorch project that is used in
                 their stead) calls to generate, after its own removal of weight norm; of WaveFlow with its queue
                 (`reverse_fast`) and its fused conditioning
    plain        `generate_plainly` of this project: module by module, with weight norm on; WaveFlow's rows recomputed
    ours         what the study measures: `prepare_for_inference` and `synthesize`

The official code is none of this project: clone what is to be compared, and say where it lies.

    git clone https://github.com/jik876/hifi-gan ../hifi-gan
    PYTHONPATH=workflow_scripts python benchmarks/official_code.py --official-code '{"hifigan": "../hifi-gan"}' \\
        --threads 1 --output official_code.csv

| model    | project                              |
|----------|--------------------------------------|
| melgan   | github.com/descriptinc/melgan-neurips |
| hifigan  | github.com/jik876/hifi-gan           |
| waveglow | github.com/NVIDIA/waveglow           |
| waveflow | github.com/L0SG/WaveFlow             |
| diffwave | github.com/lmnt-com/diffwave         |
| wavegrad | github.com/ivanvovk/WaveGrad         |

Networks have the sizes of the study's configuration and random weights, on which time does not depend: that they
compute the same from the same weights is the matter of the tests. The parameters of both stand in the table. Times are
per second of each form's own audio, since WaveFlow's project cuts 768 samples off. Writes a row per system and form,
and hardware and versions into a .json beside it; `--output-document docs/performance.md` rewrites the table there.
"""

import argparse
import contextlib
import importlib
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import torch
from documented import read_measured, replace_sections, require_sections, table, write_measured
from generation import Form, build_form, chosen_systems, lively, timed_alternately
from torch import Tensor, nn
from tqdm import tqdm

from vocoder_pareto.device import resolve_device
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.measurement.hardware import device_name, hardware_description, software_description
from vocoder_pareto.measurement.workload import numeric_precision
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.program import run_program, texts_by_name
from vocoder_pareto.study.systems import SystemSettings

PROJECT = Path(__file__).resolve().parents[1]
FORMS = ("official", "plain", "ours")
SEED = 0

# The network of a project, and what generates with it from a mel-spectrogram.
Official = tuple[nn.Module, Callable[[Tensor], Tensor]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--official-code", type=texts_by_name, default={}, help="folders of official code by model, JSON or @file"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="threads of PyTorch on a CPU (default: as many as cores)")
    parser.add_argument("--system-names", nargs="*", default=[], help="names of systems (default: all of the models)")
    parser.add_argument("--clip-seconds", type=float, default=1.024, help="seconds of the clip (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often to repeat (at least; default: %(default)s alternations)"
    )
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="seconds of each measurement (at least; default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, help="CSV file to write")
    parser.add_argument("--measured-table", type=Path, help="CSV file of an earlier call to show instead of measuring")
    parser.add_argument("--output-document", type=Path, help="document to write the tables into (docs/performance.md)")
    arguments = parser.parse_args()
    require_sections(arguments.output_document, ["official"])
    if arguments.measured_table:
        measured = read_measured(arguments.measured_table, ("system", "form", "device"))
        about = read_json(arguments.measured_table.with_suffix(".json"))
    else:
        measured, about = measure(arguments)
    text = speed_table(measured, about)
    print(text)
    replace_sections(arguments.output_document, {"official": text})


def measure(arguments: argparse.Namespace) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A row per system and form, and what they were measured on; written after each system."""
    unknown = arguments.official_code.keys() - BUILDERS.keys()
    if unknown or not arguments.official_code:
        raise UserError(
            f"--official-code: give folders of {', '.join(BUILDERS)}; not of {', '.join(unknown) or 'none'}"
        )
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    device = resolve_device(arguments.device)
    systems = [
        each
        for each in chosen_systems(arguments.system_names)
        if each.model in arguments.official_code and each.architecture.get("blocks_per_stage", 1) == 1
    ]  # stacked blocks, of WaveGrad L, are this study's own: no other project has them
    about = {"hardware": hardware_description(device), "software": software_description(PROJECT)}
    rows: list[dict[str, Any]] = []
    for system in tqdm(systems, desc="Generating"):
        rows += measurements(system, device, Path(arguments.official_code[system.model]).resolve(), arguments)
        if arguments.output:
            write_measured(pd.DataFrame(rows), arguments.output)
            write_json(arguments.output.with_suffix(".json"), about)
    return pd.DataFrame(rows), about


def measurements(
    system: SystemSettings, device: torch.device, folder: Path, arguments: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """A row for each form of a system."""
    torch.manual_seed(SEED)
    vocoder = lively(build_vocoder(system)).eval().to(device)
    frames = max(4, round(arguments.clip_seconds * system.sample_rate / system.hop_length))
    mel = torch.rand(1, system.n_mels, frames, device=device)
    with importable(folder), numeric_precision(device, "float32"), torch.inference_mode():
        network, generate = official(system, vocoder, folder, device)
        forms: dict[str, Form] = {"official": lambda mel, generator: generate(mel)}
        forms |= {name: build_form(name, vocoder, device) for name in FORMS[1:]}
        samples = {name: form(mel, torch.Generator(device)).shape[-1] for name, form in forms.items()}  # warms up, too
        seconds = timed_alternately(forms, mel, arguments.rounds, arguments.seconds)
    rates = {name: [each * system.sample_rate / samples[name] for each in times] for name, times in seconds.items()}
    folded = build_vocoder(system).prepare_for_inference()
    parameters = {"official": count(network), "plain": count(vocoder), "ours": count(folded)}
    for name, factors in rates.items():
        ratios = [one / ours for one, ours in zip(factors, rates["ours"], strict=True)]
        yield {
            "system": system.name,
            "form": name,
            "device": device_name(device),
            "threads": torch.get_num_threads() if device.type == "cpu" else None,
            "clip_seconds": frames * system.hop_length / system.sample_rate,
            "rounds": len(factors),
            "parameters": parameters[name],
            "real_time_factor": statistics.median(factors),
            "ratio_median": statistics.median(ratios),
            "ratio_10_percent": float(np.quantile(ratios, 0.1)),
            "ratio_90_percent": float(np.quantile(ratios, 0.9)),
        }


def official(system: SystemSettings, vocoder: Vocoder, folder: Path, device: torch.device) -> Official:
    """The official network of the size of `vocoder`, ready to generate on `device`.

    Raises:
        UserError: `folder` does not hold the code of that project.
    """
    try:
        network, generate = BUILDERS[system.model](vocoder, device)
    except ImportError as error:
        raise UserError(f"--official-code: {folder} is not the code for {system.model}: {error}") from error
    network.eval().to(device)
    return network, generate


@contextlib.contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Let the modules of a project be imported by their own names, and forget them afterwards: some have the same."""
    before = set(sys.modules)
    sys.path[:0] = [str(folder), str(folder / "src")]
    try:
        yield
    finally:
        del sys.path[:2]
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None)).startswith(str(folder)):
                del sys.modules[name]


def count(network: nn.Module) -> int:
    """The number of parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def without_weight_norm(network: nn.Module) -> nn.Module:
    """`network` with its weight norm, of the older kind of PyTorch, folded into weights."""
    for module in network.modules():
        with contextlib.suppress(ValueError):
            nn.utils.remove_weight_norm(module)
    return network


# What each project's own inference does, to the lines that load weights and write audio.


def melgan(vocoder: Any, device: torch.device) -> Official:
    modules, sizes = importlib.import_module("mel2wav.modules"), vocoder.architecture
    network = without_weight_norm(modules.Generator(vocoder.n_mels, sizes.channels, sizes.residual_layers))
    return network, network


def hifigan(vocoder: Any, device: torch.device) -> Official:
    sizes = vocoder.architecture
    network = importlib.import_module("models").Generator(
        SimpleNamespace(
            resblock=sizes.residual_type,
            upsample_rates=sizes.upsampling,
            upsample_kernel_sizes=sizes.upsampling_kernels,
            upsample_initial_channel=sizes.channels,
            resblock_kernel_sizes=sizes.residual_kernels,
            resblock_dilation_sizes=sizes.residual_dilations,
        )
    )
    network.remove_weight_norm()
    return network, network


def waveglow(vocoder: Any, device: torch.device) -> Official:
    glow, sizes = importlib.import_module("glow"), vocoder.architecture
    of_layers = {"n_layers": sizes.layers, "n_channels": sizes.channels, "kernel_size": sizes.kernel_size}
    network = glow.WaveGlow(
        vocoder.n_mels, sizes.flows, sizes.groups, sizes.early_every, sizes.early_channels, of_layers
    )
    glow.WaveGlow.remove_weightnorm(network)
    if device.type == "cpu":  # it draws its noise by this name alone
        glow.torch = _with_cpu_noise(glow.torch)
    return network, lambda mel: network.infer(mel, vocoder.sampling.sigma)


def _with_cpu_noise(torch_module: ModuleType) -> SimpleNamespace:
    cuda = SimpleNamespace(FloatTensor=torch.FloatTensor)
    return SimpleNamespace(**{**vars(torch_module), "cuda": cuda})


def waveflow(vocoder: Any, device: torch.device) -> Official:
    sizes = vocoder.architecture
    network = importlib.import_module("models.waveflow").WaveFlow(
        1, vocoder.n_mels, sizes.channels, sizes.height, sizes.flows, sizes.layers, 1, bipartize=False
    )
    with contextlib.redirect_stdout(sys.stderr):
        network.remove_weight_norm()
        network.fuse_conditioning_layers()
    return network, network.reverse_fast


def diffwave(vocoder: Any, device: torch.device) -> Official:
    inference, sizes = importlib.import_module("diffwave.inference"), vocoder.architecture
    settings = inference.AttrDict(inference.base_params)
    settings.override({"residual_layers": sizes.residual_layers, "residual_channels": sizes.residual_channels})
    network = inference.models["official"] = inference.DiffWave(settings)
    return network, lambda mel: inference.predict(mel, "official", {}, device, fast_sampling=True)[0]


def wavegrad(vocoder: Any, device: torch.device) -> Official:
    sizes = vocoder.architecture
    vars(np).setdefault("product", np.prod)  # its name before NumPy 2
    of_model = SimpleNamespace(
        factors=list(sizes.upsample_factors),
        upsampling_preconv_out_channels=sizes.up_channels[0],
        upsampling_out_channels=list(sizes.up_channels[1:]),
        upsampling_dilations=sizes.up_dilations,
        downsampling_preconv_out_channels=sizes.down_channels[0],
        downsampling_out_channels=list(sizes.down_channels[1:]),
        downsampling_dilations=[sizes.down_dilations] * len(sizes.down_channels[1:]),
    )
    of_data = SimpleNamespace(n_mels=vocoder.n_mels, hop_length=vocoder.hop_length)
    network = importlib.import_module("model.diffusion_process").WaveGrad(
        SimpleNamespace(model_config=of_model, data_config=of_data)
    )
    betas = {"steps": len(vocoder.noise_levels), "start": 1e-6, "end": 1e-2}  # time depends on their number alone
    network.set_new_noise_schedule(torch.linspace, betas)
    return network, network


BUILDERS: dict[str, Callable[[Any, torch.device], Official]] = {
    each.__name__: each for each in (melgan, hifigan, waveglow, waveflow, diffwave, wavegrad)
}


def speed_table(measured: pd.DataFrame, about: dict[str, Any]) -> str:
    """Official, plain and ours, a line per system."""
    first = measured.iloc[0]
    threads = f", {first.threads:.0f} threads" if pd.notna(first.threads) else ""
    columns = [
        "system", "official, s per s of audio", "plain", "ours", "official / ours (10 % to 90 %)", "plain / ours",
        "parameters, official", "ours",
    ]  # fmt: skip
    lines = []
    for system, rows in measured.groupby("system", sort=False):
        official, plain, ours = (rows[rows["form"] == form].iloc[0] for form in FORMS)
        lines.append([
            str(system),
            f"{official.real_time_factor:.3g}",
            f"{plain.real_time_factor:.3g}",
            f"{ours.real_time_factor:.3g}",
            f"**{official.ratio_median:.2f}** ({official.ratio_10_percent:.2f}–{official.ratio_90_percent:.2f})",
            f"{plain.ratio_median:.2f}",
            f"{official.parameters / 1e6:.2f} M",
            f"{ours.parameters / 1e6:.2f} M",
        ])  # fmt: skip
    return (
        f"One clip of {first.clip_seconds:.3f} s at batch 1, on {first.device}{threads}, PyTorch "
        f"{about['software']['packages']['torch']}.\n\n{table(columns, lines)}"
    )


if __name__ == "__main__":
    run_program(main)
