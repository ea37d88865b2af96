"""A branch of a training: it goes on from a state of another one, with what mends a divergence changed."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.training.identity import (
    SETTINGS_DEFAULTS,
    SYSTEM_DEFAULTS,
    TrainingIdentity,
    adopted_from,
    branched_from,
)
from vocoder_pareto.training.job import TrainingJob
from vocoder_pareto.training.journal import Journal
from vocoder_pareto.training.objectives.objective import Objective
from vocoder_pareto.training.other_code import copy_traces, in_words, misfit
from vocoder_pareto.training.record import TrainingRecord
from vocoder_pareto.training.state import StateFolder

log = logging.getLogger(__name__)

KEY = "config key training.branch_from"
# What may differ between a branch and what it leaves: of the recipe, and of the settings of training.
OF_RECIPE = ("learning_rate",)
OF_SETTINGS = ("gradient_clip", "data_seed", "precision")
_BRANCH = ("branch_from", "branch_step")


def state_of_branch(
    job: TrainingJob, identity: TrainingIdentity, states: StateFolder, objective: Objective
) -> dict[str, Any]:
    """Return the state that a branch begins with, after it was saved in `states` with all that led to it.

    What the other training spent after that state counts as lost work of the branch: it was spent on the way to its
    weights, and is in none.

    Args:
        job: The training, whose settings `branch_from` and `branch_step` say which state of which other one it is.
        identity: The identity of the training.
        states: The locked folder of its own state, which holds none yet.
        objective: What the tensors must fit.

    Raises:
        UserError: There is no such state, it differs in more than a branch may change, or it does not fit.
    """
    folder = job.state_root / str(job.settings.branch_from)
    if not folder.is_dir():
        found = ", ".join(sorted(each.name for each in job.state_root.glob("*/") if each != states.folder)) or "none"
        raise UserError(f"{KEY}: there is no state {folder}; states there: {found}")
    source = StateFolder(folder)
    changes, changed_code = _changes(identity, folder, adopts=job.settings.other_code == "adopt")
    with source.locked():
        state = source.load(most_steps=job.settings.branch_step)
        if state is None:
            most = job.settings.branch_step
            raise UserError(
                f"{KEY}: {folder} holds no state{'' if most is None else f' of at most {most} steps (branch_step)'}; "
                f"steps of its states: {', '.join(map(str, source.steps)) or 'none'}"
            )
        fault = misfit(objective, state["module"])
        if fault:
            raise UserError(f"{KEY}: the state in {folder} does not fit the code of today: {fault}")
        record = TrainingRecord.from_saved(state["record"])
        record.take_up(Journal(folder).read())
        record.ended, record.prediction = True, None
        known = {
            "digest": folder.name,
            "steps": record.steps,
            "seconds": record.seconds,
            "changes": changes,
            "changed_code": changed_code,
        }
        branch = {"record": record.as_dict(), "module": _with_learning_rates_of(objective, state["module"])}
        identity.write(states.folder, adopted_from(folder), [*branched_from(folder), known])
        copy_traces(folder, states.folder)
        states.save(branch)
    told = "; ".join(f"{name}: {before} -> {now}" for name, (before, now) in changes.items()) or "nothing changed"
    log.warning("going on from %s in %s as a branch (%s)", in_words(record), folder, told)
    return branch


def _changes(identity: TrainingIdentity, folder: Path, adopts: bool) -> tuple[dict[str, list[Any]], list[str]]:
    """What a branch changes, by name as [before, now], and the modules whose code differs.

    Raises:
        UserError: More differs than a branch may change.
    """
    before = TrainingIdentity.recorded(folder)
    if before is None or not before.is_complete:
        raise UserError(f"{KEY}: {folder} does not tell what it holds (no identity.json); take another state")
    recipe = _differences(before.system.get("recipe", {}), identity.system.get("recipe", {}), {})
    settings = _differences(before.settings, identity.settings, SETTINGS_DEFAULTS, leave_out=_BRANCH)
    others = _differences(before.system, identity.system, SYSTEM_DEFAULTS, leave_out=("recipe",))
    others |= {name: pair for name, pair in recipe.items() if name not in OF_RECIPE}
    others |= {name: pair for name, pair in settings.items() if name not in OF_SETTINGS}
    if settings.get("precision", ["", ""])[1] == "16-mixed":
        others["precision"] = settings["precision"]  # whose scaler the state lacks
    if (before.seed, before.data) != (identity.seed, identity.data):
        others["seed" if before.seed != identity.seed else "the dataset"] = [before.seed, identity.seed]
    if others:
        raise UserError(
            f"{KEY}: {', '.join(others)} of {folder} differ; a branch may change "
            f"{', '.join((*OF_RECIPE, *OF_SETTINGS))} alone (precision not to 16-mixed)"
        )
    code = identity.changed_code(before)
    if code and not adopts:
        raise UserError(
            f"{KEY}: {folder} was made by other code (changed: {', '.join(code)}); set training.other_code: adopt to "
            "go on from it all the same"
        )
    return {**recipe, **settings}, code


def _differences(
    before: Mapping[str, Any], now: Mapping[str, Any], defaults: Mapping[str, Any], leave_out: tuple[str, ...] = ()
) -> dict[str, list[Any]]:
    """Where two parts differ, by name as [before, now]; a key that came since then was at its default."""
    pairs = {name: [before.get(name, defaults.get(name)), value] for name, value in now.items()}
    return {name: pair for name, pair in pairs.items() if name not in leave_out and pair[0] != pair[1]}


def _with_learning_rates_of(objective: Objective, saved: dict[str, Any]) -> dict[str, Any]:
    """The state `saved` of a module with every learning rate in proportion to what the recipe says now.

    Optimisers and schedules keep the rates that they had in their state, so that a new one would have no effect.
    """
    optimizers, schedules = [], []
    for turn, optimizer, schedule in zip(objective.turns, saved["optimizers"], saved["schedules"], strict=True):
        groups = objective.optimizer(turn).param_groups
        ratios = [
            new["lr"] / old.get("initial_lr", old["lr"])
            for new, old in zip(groups, optimizer["param_groups"], strict=True)
        ]
        rated = zip(optimizer["param_groups"], ratios, strict=True)
        optimizers.append({**optimizer, "param_groups": [_times(group, ratio) for group, ratio in rated]})
        schedules.append(schedule and _schedule_times(schedule, ratios))
    return {**saved, "optimizers": optimizers, "schedules": schedules}


def _times(group: dict[str, Any], ratio: float) -> dict[str, Any]:
    return {**group, **{name: group[name] * ratio for name in ("lr", "initial_lr") if name in group}}


def _schedule_times(schedule: dict[str, Any], ratios: list[float]) -> dict[str, Any]:
    scaled = dict(schedule)
    for name in ("base_lrs", "_last_lr"):
        if name in schedule:
            scaled[name] = [rate * ratio for rate, ratio in zip(schedule[name], ratios, strict=True)]
    return scaled
