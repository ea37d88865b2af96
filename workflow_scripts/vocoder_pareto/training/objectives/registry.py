"""From the configuration of a system to its objective."""

from vocoder_pareto.errors import UserError
from vocoder_pareto.models.registry import load_class
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.training.objectives.objective import Objective


def new_objective(system: SystemSettings, vocoder: Vocoder) -> Objective:
    """Return the objective of `system`, with fresh random weights of what is trained beside `vocoder`.

    Raises:
        UserError: The class or a setting does not exist or fit, or the objective cannot train this vocoder.
    """
    if system.objective is None:
        raise UserError(f"config key models.{system.model}.objective: null, and a training needs one; name a class")
    kind = load_class(system.objective, f"models.{system.model}.objective")
    if not (isinstance(kind, type) and issubclass(kind, Objective)):
        raise UserError(
            f"config key models.{system.model}.objective: {system.objective!r} is not a subclass of Objective"
        )
    if not isinstance(vocoder, kind.trains):
        raise UserError(
            f"config key models.{system.model}.objective: {system.objective!r} trains a {kind.trains.__name__}, and "
            f"{system.vocoder!r} is none"
        )
    recipe = settings_from(kind.Recipe, system.recipe, f"{system.config_key}.training")
    return kind(vocoder, recipe, system.sample_rate)
