"""The network inside both flows, WaveNet's gated layers, as products of matrices: its fastest form for generation.

The matrices are derived from the weights of the layers by equal transformations:

- a tap of a kernel is one matrix; where a kernel has several rows, they lie side by side as channels;
- the convolution in front is merged into the first layer, whose input is then the signal and a channel of ones, which
  carries the bias up to the borders, beyond which there are zeros;
- skip connections reach the end convolution through linear maps only, so one matrix does both for all layers;
- 2 tanh(f) sigmoid(g) = u + u · v with u = tanh(f), v = tanh(g / 2): one tanh for both; its factors go to the matrices.

Products add to what lies in their output, so that conditioning and residuals are summed without another pass; biases
come in by channels of ones.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn


class GatedLayer(NamedTuple):
    """The weights of one layer.

    Attributes:
        kernel: of the convolution, (2 C, C, rows, taps); the first C outputs are the filter, the others the gate.
        dilation: along the taps.
        conditioner: matrix of the conditioning, (2 C, M).
        bias: of convolution and conditioning together, (2 C).
        residual, residual_bias: of the residual connection, (C, C) and (C); None in the last layer.
        skip, skip_bias: of the skip connection, (C, C) and (C).
    """

    kernel: Tensor
    dilation: int
    conditioner: Tensor
    bias: Tensor
    residual: Tensor | None
    residual_bias: Tensor | None
    skip: Tensor
    skip_bias: Tensor


class RowQueue:
    """The last rows of a signal, side by side as channels; zeros before the first row and beyond both ends.

    When it is full, it moves the last rows to its front, so that the rows of a kernel always lie in one piece.

    Args:
        rows: zeros (B, capacity · C, w + 2 · margin). The capacity is the kernel's rows twice, or all rows there are.
        channels: C.
        margin: columns of zeros at each end, at least half of the dilated kernel.
        kernel_size: rows and taps of the convolution that reads the queue.
        dilation: along the taps.
    """

    def __init__(self, rows: Tensor, channels: int, margin: int, kernel_size: tuple[int, int], dilation: int):
        self._rows, self._channels = rows, channels
        self._window = kernel_size[0] * channels
        self._kept = self._window - channels
        self._end = self._kept  # in channels
        starts = [margin + (tap - kernel_size[1] // 2) * dilation for tap in range(kernel_size[1])]
        width = rows.shape[2] - 2 * margin
        self._columns = slice(margin, margin + width)
        self._columns_of_taps = [slice(start, start + width) for start in starts]

    def clear(self) -> None:
        """Forget the rows."""
        self._end = self._kept
        self._rows[:, : self._kept] = 0

    def push(self) -> Tensor:
        """The place of the next row (B, C, w), for the caller to write."""
        if self._end == self._rows.shape[1]:
            self._rows[:, : self._kept] = self._rows[:, self._end - self._kept :]
            self._end = self._kept
        self._end += self._channels
        return self.last()

    def last(self) -> Tensor:
        """The last row (B, C, w)."""
        return self._rows[:, self._end - self._channels : self._end, self._columns]

    def taps(self) -> Iterator[Tensor]:
        """What each tap of the kernel sees, (B, rows · C, w)."""
        window = self._rows[:, self._end - self._window : self._end]
        return (window[..., columns] for columns in self._columns_of_taps)


class Workspace(NamedTuple):
    """What the layers of a network work in; networks of one size can use it one after the other.

    For 8 layers these are 25 · C · w numbers, and with kernels of 3 rows, which need queues, 66 · C · w.

    Attributes:
        hidden: the inputs of all layers but the first.
        activations: (B, layers · 2 C, w), what the layers compute before their gates.
        gates: (B, layers · C + 1, w), the gated signals, and ones.
    """

    hidden: list[RowQueue]
    activations: Tensor
    gates: Tensor


class GatedMatrices(nn.Module):
    """The matrices of a network of gated layers; buffers that are derived, so that checkpoints do not hold them.

    Args:
        front, front_bias: (C, C_in) and (C), of the convolution before the layers.
        layers: their weights.
        end, end_bias: (C_out, C) and (C_out), of the convolution of the sum of all skip connections.
    """

    def __init__(self, front: Tensor, front_bias: Tensor, layers: Sequence[GatedLayer], end: Tensor, end_bias: Tensor):
        super().__init__()
        self.channels, self.channels_in = front.shape
        self.kernel_size = tuple(layers[0].kernel.shape[2:])
        self.dilations = [layer.dilation for layer in layers]
        front, end = torch.cat([front, front_bias[:, None]], dim=1).double(), end.double()
        halves = torch.ones(2 * self.channels, 1).to(front)
        halves[self.channels :] = 0.5  # of the gate
        for index, layer in enumerate(layers):
            kernel = layer.kernel.double()
            if index == 0:
                kernel = torch.einsum("ocrt,ci->oirt", kernel, front)
            self._keep(f"taps_{index}", kernel.permute(3, 0, 2, 1).flatten(2) * halves)  # (taps, 2 C, rows · C_in)
            if layer.residual is not None:
                self._keep(f"residual_{index}", layer.residual.double() / 2)
                self._keep(f"residual_bias_{index}", layer.residual_bias[:, None])
        if len(layers) > 1:
            # The second layer's input is the front's output with the first one's residual, and its bias.
            front_bias = front[:, -1:] + layers[0].residual_bias[:, None]
            self._keep("front", torch.cat([front[:, :-1], front_bias], dim=1))
        weights = [torch.cat([layer.conditioner, layer.bias[:, None]], dim=1).double() * halves for layer in layers]
        self._keep("conditioner", torch.cat(weights))  # (layers · 2 C, M + 1)
        bias = end @ sum(layer.skip_bias.double() for layer in layers) + end_bias
        self._keep("end", torch.cat([*(end @ layer.skip.double() / 2 for layer in layers), bias[:, None]], dim=1))
        self.to(layers[0].kernel.dtype)

    def new_signal(self, like: Tensor, rows: int) -> RowQueue:
        """A queue for all rows of a signal, each (B, C_in + 1, w); the last channel holds the ones already.

        `like` (B, …, w) gives batch, width, type and device.
        """
        channels, margin = self.channels_in + 1, self._margin(0)
        places = _zeros(like, (rows + self.kernel_size[0] - 1) * channels, margin)
        places[:, channels - 1 :: channels, margin : margin + like.shape[-1]] = 1
        queue = RowQueue(places, channels, margin, self.kernel_size, self.dilations[0])
        queue.clear()
        return queue

    def new_workspace(self, like: Tensor) -> Workspace:
        """Room for the layers, see `new_signal`."""
        layers = range(1, len(self.dilations))
        rows = self.kernel_size[0]
        if rows == 1:  # only the row at hand is needed, so all layers can write it into one place
            margins = dict.fromkeys(layers, max(map(self._margin, layers), default=0))
            places = dict.fromkeys(layers, _zeros(like, self.channels, max(margins.values(), default=0)))
        else:
            margins = {layer: self._margin(layer) for layer in layers}
            places = {layer: _zeros(like, 2 * rows * self.channels, margins[layer]) for layer in layers}
        batch, width, channels = len(like), like.shape[-1], len(self.dilations) * self.channels
        workspace = Workspace(
            hidden=[
                RowQueue(places[layer], self.channels, margins[layer], self.kernel_size, self.dilations[layer])
                for layer in layers
            ],
            activations=like.new_empty(batch, 2 * channels, width),
            gates=like.new_empty(batch, channels + 1, width),
        )
        workspace.gates[:, -1] = 1
        return workspace

    def in_workspace(self, workspace: Workspace) -> Callable[[RowQueue, Tensor], Tensor]:
        """The network as a function that works in `workspace`, which forgets the rows it has seen.

        The function takes a signal, of which the next row has just been pushed, and the conditioning of this row with a
        channel of ones, (B, M + 1, w), and gives the row's output (B, C_out, w).
        """
        for queue in workspace.hidden:
            queue.clear()
        layers = range(len(self.dilations))
        matrices = {name: _for_batch(matrix, workspace.gates) for name, matrix in self.named_buffers()}
        taps = [matrices[f"taps_{layer}"].unbind(1) for layer in layers]
        activations = workspace.activations.chunk(len(layers), dim=1)
        gates = workspace.gates[:, :-1].chunk(len(layers), dim=1)

        def run(signal: RowQueue, conditioning: Tensor) -> Tensor:
            queues = [signal, *workspace.hidden]
            torch.bmm(matrices["conditioner"], conditioning, out=workspace.activations)
            for layer in layers:
                activation, gate = activations[layer], gates[layer]
                for tap, seen in zip(taps[layer], queues[layer].taps(), strict=True):
                    torch.baddbmm(activation, tap, seen, out=activation)
                filtered, other = activation.tanh_().chunk(2, dim=1)
                torch.addcmul(filtered, filtered, other, out=gate)
                if layer == layers[-1]:
                    break
                hidden = queues[layer + 1].push()
                if layer == 0:
                    torch.bmm(matrices["front"], signal.last(), out=hidden)
                else:
                    torch.add(queues[layer].last(), matrices[f"residual_bias_{layer}"], out=hidden)
                torch.baddbmm(hidden, matrices[f"residual_{layer}"], gate, out=hidden)
            return torch.bmm(matrices["end"], workspace.gates)

        return run

    def _margin(self, layer: int) -> int:
        return self.dilations[layer] * (self.kernel_size[1] // 2)

    def _keep(self, name: str, matrix: Tensor) -> None:
        self.register_buffer(name, matrix.contiguous(), persistent=False)


def _for_batch(matrix: Tensor, like: Tensor) -> Tensor:
    """(…, n, k) → (B, …, n, k), in the type of `like` (B, …)."""
    return matrix.to(like.dtype).expand(len(like), *matrix.shape)


def _zeros(like: Tensor, channels: int, margin: int) -> Tensor:
    return like.new_zeros(len(like), channels, like.shape[-1] + 2 * margin)
