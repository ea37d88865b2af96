"""From the configuration of a system to its vocoder: the only place that turns names into classes."""

from vocoder_pareto.errors import UserError
from vocoder_pareto.import_paths import load_class
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings


def build_vocoder(system: SystemSettings) -> Vocoder:
    """A vocoder with fresh random weights.

    Raises:
        UserError: The class or a setting does not exist or fit; the message names the configuration key.
    """
    kind = load_class(system.vocoder, f"models.{system.model}.vocoder")
    if not (isinstance(kind, type) and issubclass(kind, Vocoder)):
        raise UserError(
            f"config key models.{system.model}.vocoder: {system.vocoder!r} is not a subclass of Vocoder; build the "
            "network in a MelVocoder, in a few lines (docs/adding_a_model.md)"
        )
    architecture = settings_from(kind.Architecture, system.architecture, f"{system.config_key}.architecture")
    sampling = settings_from(kind.Sampling, system.sampling, f"{system.config_key}.sampling")
    if kind.sample_rate not in (None, system.sample_rate):
        raise UserError(
            f"config key {system.config_key}.front_end: {kind.__name__} is made for {kind.sample_rate} Hz, and that of "
            f"{system.name} has {system.sample_rate}; name one of front_ends with sample_rate: {kind.sample_rate}"
        )
    try:
        vocoder = kind(architecture, sampling, n_mels=system.n_mels, hop_length=system.hop_length)
    except ValueError as error:
        raise UserError(f"config key {system.config_key}.architecture: {error}") from error
    vocoder.name = system.name
    return vocoder
