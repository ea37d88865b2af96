"""From the configuration of a system to its vocoder: the only place that turns names into classes."""

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

from vocoder_pareto.errors import UserError
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings


def load_class(import_path: str, where: str) -> type:
    """The class at `package.module.Class` or `path/to/file.py:Class`.

    Raises:
        UserError: The module, file or class does not exist; `where` is the configuration key that the message names.
    """
    location, _, name = import_path.rpartition(":" if ":" in import_path else ".")
    try:
        module = _module_of_file(Path(location)) if location.endswith(".py") else importlib.import_module(location)
        return getattr(module, name)
    except (ImportError, FileNotFoundError, ValueError) as error:
        raise UserError(
            f"config key {where}: cannot import {import_path!r} ({error}); "
            "write package.module.Class, or path/to/file.py:Class relative to the working folder"
        ) from error
    except AttributeError as error:
        raise UserError(f"config key {where}: {location} has no class {name!r}") from error


def build_vocoder(system: SystemSettings) -> Vocoder:
    """A vocoder with fresh random weights.

    Raises:
        UserError: The class or a setting does not exist or fit; the message names the configuration key.
    """
    kind = load_class(system.vocoder, f"models.{system.model}.vocoder")
    if not (isinstance(kind, type) and issubclass(kind, Vocoder)):
        raise UserError(f"config key models.{system.model}.vocoder: {system.vocoder!r} is not a subclass of Vocoder")
    architecture = settings_from(kind.Architecture, system.architecture, f"{system.config_key}.architecture")
    sampling = settings_from(kind.Sampling, system.sampling, f"{system.config_key}.sampling")
    try:
        return kind(architecture, sampling, n_mels=system.n_mels, hop_length=system.hop_length)
    except ValueError as error:
        raise UserError(f"config key {system.config_key}.architecture: {error}") from error


def _module_of_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    specification = importlib.util.spec_from_file_location(path.stem, path)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
