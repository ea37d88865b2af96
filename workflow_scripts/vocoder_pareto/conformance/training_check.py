"""Whether an objective trains a vocoder: one step of it, on clips of some frames."""

import torch

from vocoder_pareto.conformance.candidate import Candidate, LeftOut, Mend
from vocoder_pareto.training.objectives.objective import Batch
from vocoder_pareto.training.objectives.registry import new_objective

FRAMES = 32


def check_training(candidate: Candidate) -> str:
    """A step of its objective has a finite loss, and changes all weights of the vocoder."""
    if candidate.system.objective is None:
        raise LeftOut("no objective is given, so it is not trained: give its weights, or measure its cost alone")
    vocoder = candidate.built().train()
    objective = new_objective(candidate.system, vocoder).train()
    before = {name: weight.detach().clone() for name, weight in vocoder.named_parameters()}
    batch = Batch(audio=candidate.audio(FRAMES, 2), mel=candidate.mel(FRAMES, 2))
    reached: set[str] = set()
    for turn in objective.turns:
        optimizer = objective.optimizer(turn)
        objective.begin_turn(turn)
        loss, parts = objective.loss(turn, batch)
        if loss.dim() or not torch.isfinite(loss):
            raise Mend(f"the loss of turn {turn!r} is {loss.detach()}; it must be one finite number")
        if any(part.requires_grad for part in parts.values()):
            raise Mend(f"the parts of the loss of turn {turn!r} keep their gradients; detach them")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        reached |= {name for name, weight in vocoder.named_parameters() if weight.grad is not None}
    unreached = [name for name, weight in vocoder.named_parameters() if weight.requires_grad and name not in reached]
    if unreached:
        raise Mend(f"no gradient reaches {', '.join(unreached[:3])}; use them in the loss, or leave them out")
    if not any(not torch.equal(before[name], weight) for name, weight in vocoder.named_parameters()):
        raise Mend("a step changes no weight of the vocoder; give the optimiser its parameters and a learning rate")
    return f"one step of {', '.join(objective.turns)}"
