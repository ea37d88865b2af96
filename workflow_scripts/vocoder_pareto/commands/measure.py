"""Measure a vocoder of yours: joules per second of audio, real-time factor and FLOPs, beside those that are known.

  vocoder-pareto measure my_vocoder.py:MyVocoder
  vocoder-pareto measure my_vocoder.py:Generator --weights generator.pt --front-end hifigan_22k --device cuda:0
  vocoder-pareto measure vocoder_pareto.models.hifigan.HiFiGAN --protocol full

It takes a class that `vocoder-pareto check` accepts, a network (nn.Module) that is built without arguments, or a
function of mel-spectrograms (batch, bands, frames). What is computed does not depend on the weights, so they may be
left out. The quick protocol takes about a minute on a GPU and is flagged so; the full one is for numbers to publish.
Do nothing else on the machine meanwhile.

Written are measurement.json (all that was observed), beside.csv, and a figure of the vocoder among those of the paper
and of the stored sets. Joules of another device, source or protocol are never put on one axis; FLOPs are.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vocoder_pareto.commands.extras import needs
from vocoder_pareto.errors import UserError
from vocoder_pareto.workflow_files import workflow_folder

if TYPE_CHECKING:
    from vocoder_pareto.analysis.beside_known import Comparison

HELP = "measure joules, time and FLOPs of a vocoder of your own"

PRESETS = {"quick": [], "full": ["presets/full_energy.yaml"]}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("vocoder", help="path/to/file.py:Class, or package.module.Class")
    parser.add_argument("--weights", type=Path, help="file of weights (.pt, .ckpt, .safetensors; default: random)")
    parser.add_argument("--front-end", help="name of the front end (default: paper)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument(
        "--protocol", choices=list(PRESETS), default="quick",
        help="how long and how often (default: %(default)s; full takes ten minutes and more)",
    )  # fmt: skip
    parser.add_argument(
        "--config-files", type=Path, nargs="*", default=[], help="presets or own files, over config.yaml"
    )
    parser.add_argument(
        "--set-folders", type=Path, nargs="*",
        help="folders of stored sets of measurements to stand beside (default: those of this package)",
    )  # fmt: skip
    parser.add_argument(
        "--formats", nargs="+", choices=["pdf", "svg", "png"], default=["pdf", "svg"],
        help="formats of the figure: pdf, svg, png",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, default=Path("measured"), help="folder to write (default: %(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Measure the vocoder, write what was found, and print it."""
    with needs("measure"):
        import vocoder_pareto.passive_threads  # noqa: F401 - before PyTorch is imported
        from vocoder_pareto.analysis.beside_figure import beside_table, draw_beside_table
        from vocoder_pareto.analysis.beside_known import comparisons
        from vocoder_pareto.analysis.figure_style import drawing, save_figure
        from vocoder_pareto.analysis.published import read_cost
        from vocoder_pareto.analysis.stored_sets import read_stored_set
        from vocoder_pareto.conformance.own_measurement import measure_own
        from vocoder_pareto.files import write_json, written_together
        from vocoder_pareto.study.configuration import read_configuration
        from vocoder_pareto.study.sections.analysis import FigureSettings
        from vocoder_pareto.tables.csv_tables import write_table
    home = workflow_folder()
    stored = arguments.set_folders
    if stored is None:
        stored = sorted(path.parent for path in (home / "resources/measured").glob("*/set.json"))
    sets = [read_stored_set(folder) for folder in stored]
    presets = [home / name for name in PRESETS[arguments.protocol]]
    files = [home / "config.yaml", *presets, *arguments.config_files]
    _make(arguments.output)  # before the minutes that a measurement takes
    is_quick = arguments.protocol == "quick"
    own = measure_own(files, arguments.vocoder, arguments.front_end, arguments.weights, arguments.device, is_quick)
    labels = {model: family["label"] or model for model, family in read_configuration(files)["models"].items()}
    found = comparisons(own.record, own.gflops, read_cost(home / "resources/published/table2_cost.csv"), sets)
    name = arguments.vocoder.rpartition("/")[2]
    settings = FigureSettings()
    figures = [arguments.output / f"beside.{suffix}" for suffix in dict.fromkeys(arguments.formats)]
    table = beside_table(name, found, own.record["reasons"], labels)
    with drawing(settings), written_together():
        write_table(table, arguments.output / "beside.csv")
        save_figure(draw_beside_table(table, settings), figures)
        write_json(arguments.output / "measurement.json", {**own.record, **_counted(own.gflops)})
    print(report(arguments.vocoder, own.record, own.gflops, found))
    written = [arguments.output / "measurement.json", arguments.output / "beside.csv", *figures]
    print("Written: " + ", ".join(map(str, written)))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--output {folder}: cannot be made ({error.strerror}); name another folder") from error


def report(vocoder: str, record: Mapping[str, Any], gflops: float | None, found: "list[Comparison]") -> str:
    """What was found, in some lines for the terminal."""
    from vocoder_pareto.tables.columns import ENERGY
    from vocoder_pareto.tables.sources import source_of

    joules, half_width, factor = record[ENERGY], record[f"{ENERGY}_ci95"], record["real_time_factor"]
    energy = "could not be measured" if joules is None else f"{joules:.4g} J per second of audio"
    if half_width is not None:
        energy += f", 95 % interval ± {half_width:.2g}"
    lines = [
        f"{vocoder} on {record['device']}",
        f"  energy            {energy} ({source_of(record['energy_source']).label})",
        f"  real-time factor  {factor:.3g} ({1 / factor:,.4g} seconds of audio per second)",
        f"  FLOPs             {_operations(gflops)}",
    ]
    for each in found:
        what, less = (each.title, "less energy") if each.column == ENERGY else ("all devices", "fewer FLOPs")
        if each.known:
            lines.append(
                f"  beside {what}: {each.why_not or f'{len(each.cheaper())} of {len(each.known)} need {less}'}"
            )
    flags = {flag: sentence for flag, sentence in record["reasons"].items() if flag != "not_publishable"}
    return "\n".join([*lines, *(f"  flag {flag}: {sentence}" for flag, sentence in flags.items())])


def _operations(gflops: float | None) -> str:
    from vocoder_pareto.measurement.complexity import FLOPS_UNKNOWN

    return f"not counted: {FLOPS_UNKNOWN}" if gflops is None else f"{gflops:,.4g} GFLOPs per second of audio"


def _counted(gflops: float | None) -> dict[str, Any]:
    """What is written of the FLOPs: null has its reason beside it."""
    from vocoder_pareto.measurement.complexity import FLOPS_UNKNOWN

    return {"gflops_per_audio_second": gflops, "flops_unknown": FLOPS_UNKNOWN if gflops is None else None}
