"""States of a training that other code made, as after an upgrade: found, refused, adopted or left."""

import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch

from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.files import written_whole
from vocoder_pareto.models.checkpoint import UNREADABLE
from vocoder_pareto.study.sections.training import TrainingSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.training.identity import TrainingIdentity, adopted_from, branched_from
from vocoder_pareto.training.job import TrainingJob
from vocoder_pareto.training.journal import Journal
from vocoder_pareto.training.objectives.objective import Objective
from vocoder_pareto.training.record import TrainingRecord
from vocoder_pareto.training.state import StateFolder

log = logging.getLogger(__name__)

KEY = "config key training.other_code"


@dataclass(frozen=True)
class OtherState:
    """A state of the same system, settings, seed and data, made by other code.

    Attributes:
        folder: Where it lies.
        record: How far it is.
        changed_code: The modules whose code differs, and the keys of settings that came or went; None where an earlier
            version of this project kept the state, which recorded neither code nor seed nor data.
    """

    folder: Path
    record: TrainingRecord
    changed_code: list[str] | None

    @property
    def work(self) -> str:
        """How much training it holds, in words."""
        return in_words(self.record)

    @property
    def makers(self) -> str:
        """What made it, in words."""
        if self.changed_code is None:
            return "by an earlier version of this project, which recorded neither its code nor its seed nor its data"
        return f"by other code (changed: {', '.join(self.changed_code)})"


def state_of_other_code(
    job: TrainingJob, identity: TrainingIdentity, states: StateFolder, objective: Objective
) -> dict[str, Any] | None:
    """Return the state to go on from where `states` holds none: one of other code if it is adopted, or None.

    Args:
        job: The training, whose `settings.other_code` says what is done with states of other code.
        identity: The identity of the training.
        states: The locked folder of its own state, which gets a copy of an adopted one, whole or not at all.
        objective: What the adopted tensors must fit.

    Raises:
        UserError: There is such a state, and the settings refuse it, or it does not fit.
    """
    others = states_of_other_code(job.state_root, identity)
    if not others:
        return None
    fate = job.settings.other_code
    if fate == "adopt":
        return _adopted(_adoptable(others, states), identity, states, objective)
    if fate == "refuse" and counts(others[0], job):
        raise UserError(_refusal(others[0], identity, states))
    log.warning("beginning at step 0; %s stays in %s, made %s", others[0].work, others[0].folder, others[0].makers)
    return None


def states_of_other_code(root: Path, identity: TrainingIdentity) -> list[OtherState]:
    """The states below `root` that differ from `identity` in their code alone, the one with the most steps first."""
    found = []
    for folder in sorted(root.glob("*/")):
        recorded = TrainingIdentity.recorded(folder)
        if folder.name == identity.digest or recorded is None or not identity.differs_in_code_alone(recorded):
            continue
        record = record_in(folder)
        if record is not None:
            changed = identity.changed_code(recorded) if recorded.is_complete else None
            found.append(OtherState(folder, record, changed))
    return sorted(found, key=lambda other: -other.record.steps)


def counts(other: OtherState, job: TrainingJob) -> bool:
    """Whether a state holds more training than a kill may cost, so that it must not be left unasked."""
    return other.record.seconds > 60 * job.settings.checkpoint_minutes


def record_in(folder: Path) -> TrainingRecord | None:
    """How far the state in `folder` is; None where none can be read. Tensors are not read if files can be mapped."""
    for name, mapped in product(("state.pt", "previous.pt"), (True, False)):  # some file systems map no files
        try:
            state = torch.load(folder / name, map_location="cpu", weights_only=True, mmap=mapped)
            return TrainingRecord.from_saved(state["record"])
        except (*UNREADABLE, TypeError, ValueError):
            continue
    return None


def in_words(record: TrainingRecord) -> str:
    """Steps and hours of a training: `400000 steps (53.2 h)`."""
    seconds = record.seconds
    return f"{record.steps} steps ({f'{seconds / 3600:.1f} h' if seconds >= 3600 else f'{seconds / 60:.1f} min'})"


def _refusal(other: OtherState, identity: TrainingIdentity, states: StateFolder) -> str:
    system = f"{identity.system['model']}-{identity.system['size']}"
    kept = f"{KEY}: {system} would begin at step 0, though {other.folder} holds {other.work} of it"
    if other.changed_code is None:
        return f"{kept}, made {other.makers}; set restart to begin at step 0, or {_by_hand(other, states)}"
    return f"{kept}, made {other.makers}; set adopt to go on from them, or restart to begin at step 0"


def _by_hand(other: OtherState, states: StateFolder) -> str:
    return (
        f"if they are the same but for code that does not matter, move {other.folder.name}/state.pt to "
        f"{states.folder} and run again"
    )


def _adoptable(others: list[OtherState], states: StateFolder) -> OtherState:
    """The state of those with a complete identity that has the most steps."""
    for other in others:
        if other.changed_code is not None:
            return other
    raise UserError(
        f"{KEY}: adopt: {others[0].folder} holds {others[0].work}, made {others[0].makers}; set restart to begin at "
        f"step 0, or {_by_hand(others[0], states)}"
    )


def _adopted(
    other: OtherState, identity: TrainingIdentity, states: StateFolder, objective: Objective
) -> dict[str, Any] | None:
    source = StateFolder(other.folder)
    with source.locked():
        state = source.load()
        if state is None:
            return None
        fault = misfit(objective, state["module"])
        if fault:
            raise UserError(
                f"{KEY}: adopt: the state in {other.folder} does not fit the code of today: {fault}; set restart to "
                f"begin at step 0, or take back the change of {', '.join(other.changed_code or [])}"
            )
        known = {
            "digest": other.folder.name,
            "steps": state["record"]["steps"],
            "seconds": state["record"]["seconds"],
            "changed_code": other.changed_code,
        }
        _take_over(source, states, identity, [*adopted_from(other.folder), known], branched_from(other.folder))
    log.warning("going on from %s in %s, made %s", other.work, other.folder, other.makers)
    return state


def _take_over(
    source: StateFolder,
    target: StateFolder,
    identity: TrainingIdentity,
    adoptions: list[dict[str, Any]],
    branches: list[dict[str, Any]],
) -> None:
    """Copy a state with its curve and samples; the state itself comes last, so that without it nothing was adopted."""
    with written_whole(target.newest) as temporary:
        identity.write(target.folder, adoptions, branches)
        copy_traces(source.folder, target.folder)
        if Journal(source.folder).file.is_file():  # what was lost there stays lost
            shutil.copy2(Journal(source.folder).file, target.folder)
        saved = source.newest if source.newest.exists() else source.previous
        try:
            os.link(saved, temporary)  # takes no room; a saved state is replaced, and never written into
        except OSError:
            shutil.copy2(saved, temporary)


def copy_traces(source: Path, target: Path) -> None:
    """Copy what a training leaves beside its state: its curve, and the audio of its validations."""
    for name in ("samples", "tensorboard"):
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
    if (source / "metrics.csv").is_file():
        shutil.copy2(source / "metrics.csv", target)


def misfit(objective: Objective, saved: dict[str, Any]) -> str:
    """What of the saved state of a training does not fit `objective`, in words; empty if it fits."""
    weights, known = objective.state_dict(), saved["objective"]
    for name in dict.fromkeys([*weights, *known]):
        if name not in known or name not in weights:
            return f"{name} is in {'the code' if name in weights else 'the state'} alone"
        if weights[name].shape != known[name].shape:
            return f"{name} has shape {tuple(known[name].shape)} there and {tuple(weights[name].shape)} in the code"
    if list(weights) != list(known):
        return "the layers come in another order, by which the optimiser tells them"
    if len(saved["optimizers"]) != len(objective.turns):
        return f"it was trained in {len(saved['optimizers'])} turns, and the code has {len(objective.turns)}"
    for turn, optimizer, schedule in zip(objective.turns, saved["optimizers"], saved["schedules"], strict=True):
        fault = _misfit_of_turn(objective, turn, optimizer, schedule)
        if fault:
            return f"the turn {turn}: {fault}"
    return ""


def _misfit_of_turn(objective: Objective, turn: str, saved: dict[str, Any], schedule: dict[str, Any] | None) -> str:
    optimizer = objective.optimizer(turn)
    options = {name for group in optimizer.param_groups for name in group}
    if (objective.schedule(turn, optimizer) is None) != (schedule is None):
        return "one has a schedule of the learning rate, and the other none"
    try:
        optimizer.load_state_dict(saved)
    except (ValueError, KeyError) as error:
        return f"another optimiser ({first_line(error)})"
    missing = options - {name for group in optimizer.param_groups for name in group} - {"initial_lr"}
    return f"another optimiser (no {', '.join(sorted(missing))} in the state)" if missing else ""


def beginning_of(
    system: Mapping[str, Any],
    settings: Mapping[str, Any],
    clips: Path,
    table: Path,
    mels: Path,
    state_root: Path,
    seed: int,
) -> str:
    """Where a training would begin, in words that follow its name, with the states below `state_root` as they are.

    Args:
        system, settings: The system and how it is trained, as plain values; the rest is as in `TrainingJob`.

    Raises:
        UserError: A setting is not allowed, or a file of the dataset cannot be read.
    """
    means = settings_from(TrainingSettings, settings, "training")
    job = TrainingJob(settings_from(SystemSettings, system, "models"), means, clips, table, mels, state_root, seed=seed)
    if job.settings.checkpoint is not None:
        return "takes given weights"
    if job.settings.is_untrained:
        return "has 0 steps: the weights stay as they are initialised"
    identity = job.identity()
    own = record_in(job.state_root / identity.digest)
    if own is not None:
        finished = job.budget.used_up(own.used) is not None
        return f"is over, its state has {in_words(own)}" if finished else f"goes on after {in_words(own)}"
    others = states_of_other_code(job.state_root, identity)
    if not others:
        branch = job.settings.branch_from
        return "begins at step 0" if branch is None else f"begins as a branch of {branch}"
    fate, what = job.settings.other_code, f"{others[0].work} made {others[0].makers}"
    if (fate == "refuse" and counts(others[0], job)) or (fate == "adopt" and others[0].changed_code is None):
        return f"is refused, since there are {what}; set training.other_code: adopt or restart"
    return f"adopts {what}" if fate == "adopt" else f"begins at step 0 and leaves {what}"
