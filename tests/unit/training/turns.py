"""What the turns of any adversarial objective must do."""

import torch
from closeness import assert_close


def assert_each_turn_updates_its_own_network_alone(objective, batch, may_rest=0):
    """Of the weights of its own network, all move but `may_rest` at most; of the other, none."""
    networks = {"discriminator": objective.discriminator, "generator": objective.vocoder}
    for turn in objective.turns:
        before = {name: [value.clone() for value in network.parameters()] for name, network in networks.items()}
        optimizer = objective.optimizer(turn)
        objective.begin_turn(turn)
        loss, parts = objective.loss(turn, batch)
        objective.zero_grad(set_to_none=True)
        loss.backward()
        for name, network in networks.items():
            assert all((value.grad is not None) == (name == turn) for value in network.parameters())
        optimizer.step()
        for name, network in networks.items():
            moved = [not torch.equal(old, new) for old, new in zip(before[name], network.parameters(), strict=True)]
            assert sum(moved) >= len(moved) - may_rest if name == turn else not any(moved)
        assert all(not part.requires_grad for part in parts.values())


def assert_compiled_turns_are_as_plain_ones(objective, batch, factor):
    """What one turn computed or froze must not be met in another, nor in the same turn of the next step."""

    def loss_and_gradients(function, turn):
        objective.zero_grad(set_to_none=True)
        loss = function(turn, batch)[0]
        loss.backward()
        return [loss.detach(), *(weight.grad for weight in objective.parameters() if weight.grad is not None)]

    compiled = torch.compile(objective.loss, backend="aot_eager")
    for turn in 2 * objective.turns:
        objective.begin_turn(turn)
        pairs = zip(loss_and_gradients(compiled, turn), loss_and_gradients(objective.loss, turn), strict=True)
        for fast, plain in pairs:
            assert_close(fast, plain, factor=factor)
