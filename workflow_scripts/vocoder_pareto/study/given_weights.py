"""Which systems are given weights, and where the file of each lies when it is there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json
from vocoder_pareto.study.sections.weights import WeightsSettings
from vocoder_pareto.study.settings import settings_from


def weights_of(config: Mapping[str, Any], model: str, size: str) -> WeightsSettings | None:
    """The weights that the configuration gives a system by `weights` or `training.checkpoint`; None without any.

    `config` is a checked one.
    """
    family, own = config["models"][model], config["models"][model]["sizes"][size]
    values = own["weights"] or family["weights"]
    if values is None:
        checkpoint = {**config["training"], **family["training"], **own["training"]}["checkpoint"]
        values = None if checkpoint is None else {"path": checkpoint}
    return None if values is None else settings_from(WeightsSettings, values, f"models.{model}.sizes.{size}.weights")


def file_of_weights(config: Mapping[str, Any], model: str, size: str) -> str | None:
    """The file of the weights of a system: that of the user, or the one that `fetch_weights` writes; None without."""
    weights = weights_of(config, model, size)
    if weights is None or weights.path is not None:
        return None if weights is None else weights.path
    return f"{config['results_dir']}/weights/{model}-{size}.weights"


def fault_of_weights(config: Mapping[str, Any], model: str, size: str) -> str | None:
    """What is wrong with the weights of a system, in words: that it has them twice."""
    family, own = config["models"][model], config["models"][model]["sizes"][size]
    checkpoint = {**config["training"], **family["training"], **own["training"]}["checkpoint"]
    if checkpoint is None or not (own["weights"] or family["weights"]):
        return None
    where = f"models.{model}.sizes.{size}" if own["weights"] else f"models.{model}"
    return (
        f"config key {where}.weights: training.checkpoint of this system is {checkpoint!r} as well; set one of them to "
        "null"
    )


def require_recorded(weights: WeightsSettings, record: str | Path) -> None:
    """Refuse weights that were fetched while another SHA-256 was known, or none, than is known now.

    `record` is what `fetch_weights` wrote; without it, or where it tells of another place, they are yet to be fetched.

    Raises:
        UserError: They have another SHA-256, or the record cannot be read.
    """
    if weights.sha256 is None or not Path(record).is_file():
        return
    known = read_json(record)
    is_same_place = all(known.get(key) == value for key, value in weights.place().items())
    if is_same_place and known.get("sha256") != weights.sha256:
        raise UserError(
            f"{record}: the weights that were fetched have SHA-256 {known.get('sha256')}, not {weights.sha256}; mend "
            "the sha256 of these weights, or delete their files there, and they are fetched again"
        )
