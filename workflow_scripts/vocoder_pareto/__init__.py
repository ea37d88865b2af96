"""Energy-aware evaluation of neural vocoders: models, training, measurement, listening test and Pareto analysis.

What is public stands in `__all__` and docs/api.md; all else may change with any version. A name is imported where it is
asked for, since PyTorch takes seconds and tables and figures do not need it; `__init__.pyi` tells type checkers.

The library knows nothing of Snakemake. The programs beside it call one function each; the rules hold the order.
"""

from importlib import import_module

from vocoder_pareto.caches import use_writable_caches

__version__ = "0.1.0"

_MODULES = {
    "EnergyMeter": "vocoder_pareto.measurement.energy_meter",
    "Front": "vocoder_pareto.analysis.fronts",
    "Measurement": "vocoder_pareto.measurement.of_callable",
    "MelVocoder": "vocoder_pareto.models.adapters",
    "MeteredWindow": "vocoder_pareto.measurement.energy_meter",
    "Objectives": "vocoder_pareto.analysis.fronts",
    "UserError": "vocoder_pareto.errors",
    "Vocoder": "vocoder_pareto.models.vocoder",
    "WaveformCodec": "vocoder_pareto.models.adapters",
    "front_of_file": "vocoder_pareto.analysis.front_of_table",
    "front_of_frame": "vocoder_pareto.analysis.front_of_table",
    "measure": "vocoder_pareto.measurement.of_callable",
    "metric": "vocoder_pareto.quality.metrics",
    "write_front": "vocoder_pareto.analysis.front_of_table",
}

__all__ = ["__version__", *_MODULES]

use_writable_caches()


def __getattr__(name: str):
    """The public object called `name`."""
    if name not in _MODULES:
        raise AttributeError(f"module 'vocoder_pareto' has no public {name!r}; it has {', '.join(_MODULES)}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
