"""What the types of settings cannot tell, but need not wait for a job: keys of classes, voices, counts, palettes."""

import importlib.util
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.import_paths import is_import_path
from vocoder_pareto.study.class_settings import LIBRARY_ROOT, DeclaredSettings, declared_settings
from vocoder_pareto.study.code_version import module_file
from vocoder_pareto.study.sections.training import TrainingSettings
from vocoder_pareto.study.settings import plain, settings_from, with_numbers_read
from vocoder_pareto.study.settings_faults import keys_of, nearest, unknown_key
from vocoder_pareto.tables.csv_files import read_csv

# Of seaborn and matplotlib, from one end of lightness to the other; _r turns one round.
PALETTES = (
    "crest", "flare", "mako", "rocket", "viridis", "plasma", "inferno", "magma", "cividis", "Greys", "Purples", "Blues",
    "Greens", "Oranges", "Reds", "YlOrBr", "YlOrRd", "OrRd", "PuRd", "RdPu", "BuPu", "GnBu", "PuBu", "YlGnBu", "PuBuGn",
    "BuGn", "YlGn",
)  # fmt: skip
_MADE_PALETTE = re.compile(r"(light|dark|blend|ch):.+")
SYNTHETIC_CLIPS = (20, 13_100)
_PARTS = {"architecture": ("vocoder", "Architecture"), "sampling": ("vocoder", "Sampling")}


def faults_of_choices(config: Mapping[str, Any]) -> list[str]:
    """What is wrong with clips, voices and the palette of `config`."""
    faults = []
    dataset, palette = config["dataset"], config["figures"]["palette"]
    (least, most), clips = SYNTHETIC_CLIPS, dataset["clips"]
    if dataset["source"] == "synthetic":
        if clips is not None and not least <= clips <= most:
            faults.append(
                f"config key dataset.clips: {clips} is not allowed; a synthetic corpus has {least} to {most} clips"
            )
        faults += _faults_of_voices(dataset["voices"])
    if palette.removesuffix("_r") not in PALETTES and not _MADE_PALETTE.fullmatch(palette):
        faults.append(
            f"config key figures.palette: {palette!r} is not allowed{nearest(palette, PALETTES)}; allowed: "
            f"{', '.join(PALETTES)}, each also with _r, and light:, dark:, blend: and ch: of seaborn"
        )
    return faults


def _faults_of_voices(voices: list[str]) -> list[str]:
    if importlib.util.find_spec("espeakng_loader") is None:  # it may be in the environment of its rule alone
        return []
    from vocoder_pareto.audio.espeak import require_voice

    faults = []
    for voice in voices:
        try:
            require_voice(voice)
        except UserError as error:
            faults.append(str(error))
    return faults


def require_metrics(names: Iterable[str], known: Sequence[str]) -> None:
    """Refuse a metric that is neither `known` nor an import path.

    Raises:
        UserError: It names the first such one of `names`, and those that are allowed.
    """
    for name in names:
        if not is_import_path(name) and name not in known:
            raise UserError(
                f"config key quality.metrics: {name!r} is unknown{nearest(name, known)}; allowed: {', '.join(known)}, "
                "or the import path of a function, path/to/file.py:function"
            )


def require_bands(config: Mapping[str, Any]) -> None:
    """Refuse a table of `training.bands` that is not there, wherever the training of a system is set.

    Raises:
        UserError: A line for each key that names one.
    """
    places = {"training": config["training"]}
    for model, family in config["models"].items():
        places[f"models.{model}.training"] = family["training"]
        for size, part in family["sizes"].items():
            places[f"models.{model}.sizes.{size}.training"] = part["training"]
    faults = [
        f"config key {place}.bands: {settings['bands']}: no such file; name training_bands.csv of a finished study"
        for place, settings in places.items()
        if settings.get("bands") is not None and not Path(settings["bands"]).is_file()
    ]
    if faults:
        raise UserError("\n".join(faults))


def are_without_published_mos(systems: Iterable[str], published: str | Path) -> bool:
    """Whether none of `systems` has a MOS in the paper's table 1, the file `published`.

    Raises:
        UserError: The file cannot be read or lacks a column.
    """
    table = read_csv(published, ["model", "size"])
    rated = {f"{model}-{size}" for model, size in zip(table.texts("model"), table.texts("size"), strict=True)}
    return rated.isdisjoint(systems)


def with_settings_of_classes(model: str, family: dict[str, Any]) -> list[str]:
    """Check what a model says to its classes, in place: text and whole numbers become what their field takes.

    Args:
        model: The name of the model.
        family: What the configuration says of it, with all keys.

    Returns:
        A line for each class whose file is not there, and for each key that its class does not know, whose value has
        another type, that is missing, or that is for a training where nothing trains the model.
    """
    owners = [owner for owner in ("vocoder", "objective") if family[owner] is not None]
    faults = [fault for owner in owners for fault in _fault_of_path(model, owner, family[owner])]
    kinds = {name: declared_settings(family[owner], attribute) for name, (owner, attribute) in _PARTS.items()}
    recipe = declared_settings(family["objective"], "Recipe") if family["objective"] else None
    for where, part in (
        (f"models.{model}", family),
        *((f"models.{model}.sizes.{size}", part) for size, part in family["sizes"].items()),
    ):
        for owner, place in ((part, where), (part["published_convention"], f"{where}.published_convention")):
            for name in kinds.keys() & owner.keys():
                owner[name], found = _read(kinds[name], owner[name], f"{place}.{name}")
                faults += found
        if family["objective"]:
            part["training"], found = _recipe_read(recipe, part["training"], f"{where}.training")
            faults += found
        else:
            faults += [
                f"config key {where}.training.{key}: nothing trains {model}; name its Objective as models.{model}."
                "objective, or leave the key out"
                for key, value in part["training"].items()
                if key != "checkpoint" and (key, value) != ("steps", 0)
            ]
    for size, part in family["sizes"].items():
        for name, declared in {**kinds, "training": recipe}.items():
            given = {**family[name], **part[name]}
            missing = [key for key in declared.required if key not in given] if declared else []
            faults += [
                f"config key models.{model}.sizes.{size}.{name}.{key}: missing; give it a value" for key in missing
            ]
    return faults


def _fault_of_path(model: str, owner: str, import_path: str) -> list[str]:
    try:
        module_file(import_path, LIBRARY_ROOT)
    except FileNotFoundError:
        return [
            f"config key models.{model}.{owner}: {import_path}: no such file or module; name package.module.Class, or "
            "path/to/file.py:Class with the path from the folder where the command runs"
        ]
    return []


def _read(declared: DeclaredSettings | None, values: dict[str, Any], where: str) -> tuple[dict[str, Any], list[str]]:
    if declared is None:
        return with_numbers_read(values), []
    try:
        read = plain(settings_from(declared.kind, values, where))
    except UserError as error:
        return values, str(error).splitlines()
    return {key: read[key] for key in values}, []


def _recipe_read(
    recipe: DeclaredSettings | None, values: dict[str, Any], where: str
) -> tuple[dict[str, Any], list[str]]:
    """As `_read`, for the keys of the recipe among those of the section training."""
    common = keys_of(TrainingSettings)
    own = {key: value for key, value in values.items() if key not in common}
    known = {**(keys_of(recipe.kind) if recipe else {}), **common}
    unknown = [key for key in own if recipe and key not in known]
    if unknown:
        return values, [f"config key {where}.{key}: {unknown_key(key, known)}" for key in unknown]
    read, faults = _read(recipe, own, where)
    return {key: read[key] if key in own else with_numbers_read(value) for key, value in values.items()}, faults
