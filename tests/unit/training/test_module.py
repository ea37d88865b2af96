import itertools

import lightning
import numpy as np
import pytest
import torch
from closeness import assert_close
from seeds import seed_of
from tiny_system import AdversarialTinyObjective, ObjectiveByTheBudget, TinyObjective, TinyRecipe, TinyVocoder

from vocoder_pareto.study.sections.training import TrainingSettings
from vocoder_pareto.training.module import TrainingModule, seed_step, segment_of
from vocoder_pareto.training.objectives.objective import Batch, Progress
from vocoder_pareto.training.trainer import make_trainer

CPU = torch.device("cpu")


class StopAfter(lightning.Callback):
    def __init__(self, steps):
        self.steps = steps

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        trainer.should_stop = module.step >= self.steps


class Staged(AdversarialTinyObjective):
    """Its discriminator rests until half of the budget is used."""

    def begin_step(self, progress):
        return self.turns if progress.budget_share >= 0.5 else ("generator",)


class Watched(TinyObjective):
    """Remembers the norms of its gradients and the kinds of its tensors."""

    def optimizer(self, turn):
        optimizer = super().optimizer(turn)
        self.norms, self.kinds = [], []

        def after(*arguments):
            gradients = [weight.grad.flatten() for weight in self.vocoder.parameters()]
            self.norms.append(float(torch.cat(gradients).norm()))

        optimizer.register_step_post_hook(after)
        return optimizer

    def loss(self, turn, batch):
        self.kinds.append(self.vocoder.input(batch.mel).dtype)
        return super().loss(turn, batch)


def a_batch(frames=64) -> Batch:
    generator = torch.Generator().manual_seed(seed_of(0))
    return Batch(torch.rand(3, frames * 16, generator=generator), torch.rand(3, 4, frames, generator=generator))


def fit(objective, steps=4, steps_per_epoch=2, **settings) -> TrainingModule:
    torch.manual_seed(seed_of(0))
    settings = TrainingSettings(steps=steps, segment_frames=None, **settings)
    module = TrainingModule(objective, settings, 0, steps_per_epoch, lambda step: step / steps)
    make_trainer(CPU, settings, [StopAfter(steps)]).fit(module, itertools.repeat(a_batch()))
    return module


def tiny(kind=TinyObjective, **recipe):
    torch.manual_seed(seed_of(0))
    return kind(TinyVocoder(), TinyRecipe(**recipe))


def test_exactly_the_steps_that_are_asked_for_are_taken():
    objective = tiny()
    assert fit(objective, steps=5).step == 5
    assert objective.calls == 5


def test_the_loop_does_what_plain_pytorch_does():
    """Two turns, two optimisers, a schedule per step, written out; Adam there takes a pass per operation."""
    objective, module = tiny(AdversarialTinyObjective), fit(tiny(AdversarialTinyObjective), steps=3)
    optimizers = {turn: objective.optimizer(turn) for turn in ("discriminator", "generator")}
    schedule = objective.schedule("generator", optimizers["generator"]).scheduler
    for step in range(3):
        torch.manual_seed(step)
        for turn, optimizer in optimizers.items():
            objective.begin_turn(turn)
            loss, _ = objective.loss(turn, a_batch())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    for weight, other in zip(objective.parameters(), module.objective.parameters(), strict=True):
        assert_close(other, weight, factor=64)


def test_adam_updates_a_weight_at_once_on_a_cpu_also_when_a_state_says_otherwise():
    module = fit(tiny(AdversarialTinyObjective), steps=1)
    assert [group["fused"] for each in module._optimizers() for group in each.param_groups] == [True, True]
    state = module.state()
    for optimizer in state["optimizers"]:
        optimizer["param_groups"][0]["fused"] = None  # as it was before
    module.load_state(state)
    assert [group["fused"] for each in module._optimizers() for group in each.param_groups] == [True, True]


def test_a_step_takes_the_turns_that_the_progress_gives_it():
    module = fit(tiny(Staged), steps=5)
    updates = [int(each["state"][0]["step"]) for each in module.state()["optimizers"]]
    assert updates == [2, 5]  # after 3 and 4 of 5 steps


def test_schedules_advance_per_epoch_or_per_step_as_they_say():
    assert fit(tiny(), steps=5, steps_per_epoch=2).learning_rate == pytest.approx(0.01 * 0.9**2)
    by_step = fit(tiny(AdversarialTinyObjective), steps=5, steps_per_epoch=100)
    assert by_step.learning_rate == pytest.approx(0.01 * 0.5**2)


@pytest.mark.parametrize("steps", [3, 20])
def test_a_schedule_by_the_budget_ends_alike_for_any_number_of_steps(steps):
    """Six advances after 0.15, 0.3 … 0.9 of the budget."""
    module = fit(tiny(ObjectiveByTheBudget), steps=steps)
    assert module.learning_rate == pytest.approx(0.01 * 0.5**6)
    assert module.first_learning_rate == pytest.approx(0.01)


def test_a_schedule_by_the_budget_advances_at_its_shares():
    """A twentieth of the budget more is used with each step, so that three have each rate."""
    objective = tiny(ObjectiveByTheBudget)
    optimizer = objective.optimizer("generator")
    schedule, rates = objective.schedule("generator", optimizer), []
    for step in range(1, 9):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.follow(Progress(step, None, step * 0.05))
    assert rates == pytest.approx([0.01] * 3 + [0.005] * 3 + [0.0025] * 2)


@pytest.mark.parametrize("precision", ["32", "bf16-mixed"])
def test_gradients_are_clipped_to_the_norm_that_is_set(precision):
    free, clipped = tiny(Watched), tiny(Watched)
    fit(free, precision=precision)
    bound = min(free.norms) / 2
    fit(clipped, gradient_clip=bound, precision=precision)
    assert clipped.norms == pytest.approx([bound] * 4, rel=1e-4)


def test_mixed_precision_computes_in_bfloat16_and_keeps_float32_weights():
    objective = tiny(Watched)
    fit(objective, precision="bf16-mixed")
    assert set(objective.kinds) == {torch.bfloat16}
    assert {weight.dtype for weight in objective.parameters()} == {torch.float32}


@pytest.mark.parametrize("kind", [TinyObjective, AdversarialTinyObjective])
def test_a_compiled_loss_trains_alike(kind, monkeypatch):
    compiled = []

    def compile(function):
        compiled.append(function)
        return torch._dynamo.optimize("aot_eager")(function)

    monkeypatch.setattr(torch, "compile", compile)
    plain, fast = fit(tiny(kind), steps=2), fit(tiny(kind), steps=2, compile=True)
    assert len(compiled) == 1
    for one, other in zip(plain.objective.parameters(), fast.objective.parameters(), strict=True):
        assert_close(one, other, factor=64)


def test_segments_are_the_same_frames_of_audio_and_mel():
    frames = torch.arange(64.0)
    batch = Batch(frames.repeat_interleave(16).expand(3, -1), frames.expand(3, 4, -1))
    starts = set()
    for seed in range(20):
        torch.manual_seed(seed_of(seed))
        segment = segment_of(batch, 10, 16)
        assert segment.audio.shape == (3, 160)
        assert torch.equal(segment.audio[:, ::16], segment.mel[:, 0])
        starts.add(int(segment.mel[0, 0, 0]))
    assert len(starts) > 5


@pytest.mark.parametrize("frames", [None, 64, 100])
def test_segments_as_long_as_clips_are_the_clips(frames):
    batch = a_batch()
    assert segment_of(batch, frames, 16) is batch


def test_the_noise_of_a_step_depends_on_its_number_and_the_seed_alone():
    def drawn(seed, step):
        seed_step(seed, step, CPU)
        return float(torch.rand(())), float(np.random.rand())

    assert drawn(0, 3) == drawn(0, 3)
    assert len({drawn(seed, step) for seed in range(3) for step in range(3)}) == 9
