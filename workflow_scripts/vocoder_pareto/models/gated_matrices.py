"""The network inside both flows, WaveNet's gated layers, as products of matrices: its fastest form for generation.

Letters beside those of `vocoder.py` and `flow.py`: k = 0 … K − 1 counts the layers, s (C_in, w) is the signal, m (M, w)
its conditioning, x_k (C, w) the input of layer k and y_k (C, w) its gated output. S_t x is x as tap t sees it: its
column j is column j + (t − ⌊taps / 2⌋) · dilation of x, and zero beyond both ends. Where a kernel has several rows, the
rows that it covers lie side by side as channels. σ is the sigmoid, ⊙ the product by elements, [A, B] two matrices side
by side and [a; b] two signals one above the other.

The plain form, with a front convolution F, f, and in layer k a convolution W_k, conditioner V_k, their biases b_k,
residual R_k, r_k and skip connection Q_k, q_k, which the end convolution E, e sums up (WaveGlow, section 2.1; WaveFlow,
section 3; the gate is equation 2 of van den Oord et al., 2016):

    (1)  x_0 = F s + f
    (2)  [f_k; g_k] = Σ_t W_k,t S_t x_k + V_k m + b_k
    (3)  y_k = tanh(f_k) ⊙ σ(g_k)
    (4)  x_k+1 = x_k + R_k y_k + r_k
    (5)  output = E Σ_k (Q_k y_k + q_k) + e

The identities that make it fast, none of which approximates:

    (6)  σ(g) = (1 + tanh(g / 2)) / 2, so 2 y_k = u + u ⊙ v with [u; v] = tanh(H [f_k; g_k]), where the diagonal matrix
         H holds 1 for the filter and ½ for the gate: one tanh for both. H goes into W_k,t, V_k and b_k, and the ½ of
         y_k = (2 y_k) / 2 into R_k and Q_k.
    (7)  V_k m + b_k = [V_k, b_k] [m; 1]: a bias is a column of the matrix, for a channel of ones.
    (8)  W_0,t S_t x_0 = W_0,t [F, f] S_t [s; 1]: the front merges into the first layer, so that x_0 is never computed.
         S_t moves the ones as it does s, hence f counts up to the ends and not beyond, as where x_0 is padded by zeros.
    (9)  x_1 = [F, f + r_0] [s; 1] + (R_0 / 2) (2 y_0), from (1) and (4).
    (10) E Σ_k (Q_k y_k + q_k) + e = [E Q_0 / 2, …, E Q_K−1 / 2, E Σ_k q_k + e] [2 y_0; …; 2 y_K−1; 1]: skip connections
         and end convolution are linear, so that one product does them for all layers.

The fast form: one product of the stacked H [V_k, b_k] with [m; 1] for all layers; then for each layer the sum over taps
is added where that lies, tanh is taken there, 2 y_k follows by (6), and x_k+1 by (9) or (4); at last comes (10).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn


class GatedLayer(NamedTuple):
    """The weights of one layer.

    Attributes:
        kernel: W, the kernel of the convolution, (2 C, C, rows, taps); the first C outputs are the filter, the others
            the gate.
        dilation: The columns from one tap to the next, at least 1.
        conditioner: V, the matrix of the conditioning, (2 C, M).
        bias: b, the biases of convolution and conditioning together, (2 C,).
        residual: R (C, C) and r (C,), the residual connection. The last layer needs none, and may have None.
        skip: Q, the matrix of the skip connection, (C, C).
        skip_bias: q, its bias, (C,).
    """

    kernel: Tensor
    dilation: int
    conditioner: Tensor
    bias: Tensor
    residual: tuple[Tensor, Tensor] | None
    skip: Tensor
    skip_bias: Tensor


class RowQueue:
    """The last rows of a signal, side by side as channels; zeros before the first row and beyond both ends.

    When it is full, it moves the last rows to its front, so that the rows of a kernel always lie in one piece.

    Args:
        rows: Zeros (B, capacity · C, w + 2 · margin). The capacity is the kernel's rows twice, or all rows there are.
        channels: C, the channels of a row.
        margin: The number of columns of zeros at each end, at least half of the dilated kernel.
        kernel_size: The rows and the taps of the convolution that reads the queue.
        dilation: The columns from one tap to the next, at least 1.
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
        hidden: The inputs x_1 … x_K−1 of all layers but the first.
        activations: What the layers compute before their gates, (B, K · 2 C, w).
        gates: The gated signals twice, 2 y_k, and a channel of ones, (B, K · C + 1, w).
    """

    hidden: list[RowQueue]
    activations: Tensor
    gates: Tensor


class GatedMatrices(nn.Module):
    """The matrices of a network of gated layers; buffers that are derived, so that checkpoints do not hold them.

    They are computed in double precision and kept in the type of the first kernel.

    Args:
        front: F, the matrix (C, C_in) of the convolution before the layers.
        front_bias: f, its bias, (C,).
        layers: The weights of the layers, at least one.
        end: E, the matrix (C_out, C) of the convolution of the sum of all skip connections.
        end_bias: e, its bias, (C_out,).
    """

    def __init__(self, front: Tensor, front_bias: Tensor, layers: Sequence[GatedLayer], end: Tensor, end_bias: Tensor):
        super().__init__()
        self.channels, self.channels_in = front.shape
        rows, taps = layers[0].kernel.shape[2:]
        self.kernel_size = (rows, taps)
        self.dilations = [layer.dilation for layer in layers]
        front, end = torch.cat([front, front_bias[:, None]], dim=1).double(), end.double()
        halves = torch.ones(2 * self.channels, 1).to(front)  # H of (6)
        halves[self.channels :] = 0.5
        for index, layer in enumerate(layers):
            kernel = layer.kernel.double()
            if index == 0:
                kernel = torch.einsum("ocrt,ci->oirt", kernel, front)  # (8)
            self._keep(f"taps_{index}", kernel.permute(3, 0, 2, 1).flatten(2) * halves)  # (taps, 2 C, rows · C_in)
            if layer.residual is not None:
                residual, residual_bias = layer.residual
                self._keep(f"residual_{index}", residual.double() / 2)
                self._keep(f"residual_bias_{index}", residual_bias[:, None])
                if index == 0:
                    second_bias = front[:, -1:] + residual_bias[:, None]
                    self._keep("front", torch.cat([front[:, :-1], second_bias], dim=1))  # (9): (C, C_in + 1)
        weights = [torch.cat([layer.conditioner, layer.bias[:, None]], dim=1).double() * halves for layer in layers]
        self._keep("conditioner", torch.cat(weights))  # (7): (K · 2 C, M + 1)
        bias = end @ sum(layer.skip_bias.double() for layer in layers) + end_bias
        skips = [end @ layer.skip.double() / 2 for layer in layers]
        self._keep("end", torch.cat([*skips, bias[:, None]], dim=1))  # (10): (C_out, K · C + 1)
        self.to(layers[0].kernel.dtype)

    def new_signal(self, like: Tensor, rows: int) -> RowQueue:
        """A queue for all rows of a signal, each (B, C_in + 1, w); the last channel holds the ones already.

        Args:
            like: A tensor (B, …, w) of the batch, width, type and device that the queue is to have.
            rows: The number of rows of the signal, at least 1.
        """
        channels, margin = self.channels_in + 1, self._margin(0)
        places = _zeros(like, (rows + self.kernel_size[0] - 1) * channels, margin)
        places[:, channels - 1 :: channels, margin : margin + like.shape[-1]] = 1
        queue = RowQueue(places, channels, margin, self.kernel_size, self.dilations[0])
        queue.clear()
        return queue

    def new_workspace(self, like: Tensor) -> Workspace:
        """Room for the layers, for a batch of the size, width, type and device of `like` (B, …, w)."""
        layers = range(1, len(self.dilations))
        rows = self.kernel_size[0]
        if rows == 1:  # only the row at hand is needed, so all layers can write it into one place
            margins = dict.fromkeys(layers, max((self._margin(layer) for layer in layers), default=0))
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

        def network(signal: RowQueue, conditioning: Tensor) -> Tensor:
            queues = [signal, *workspace.hidden]
            torch.bmm(matrices["conditioner"], conditioning, out=workspace.activations)
            for layer in layers:
                activation, gate = activations[layer], gates[layer]
                for tap, seen in zip(taps[layer], queues[layer].taps(), strict=True):
                    torch.baddbmm(activation, tap, seen, out=activation)
                u, v = activation.tanh_().chunk(2, dim=1)  # (6)
                torch.addcmul(u, u, v, out=gate)
                if layer == layers[-1]:
                    break
                hidden = queues[layer + 1].push()
                if layer == 0:
                    torch.bmm(matrices["front"], signal.last(), out=hidden)
                else:
                    torch.add(queues[layer].last(), matrices[f"residual_bias_{layer}"], out=hidden)
                torch.baddbmm(hidden, matrices[f"residual_{layer}"], gate, out=hidden)
            return torch.bmm(matrices["end"], workspace.gates)

        return network

    def _margin(self, layer: int) -> int:
        return self.dilations[layer] * (self.kernel_size[1] // 2)

    def _keep(self, name: str, matrix: Tensor) -> None:
        self.register_buffer(name, matrix.contiguous(), persistent=False)


def _for_batch(matrix: Tensor, like: Tensor) -> Tensor:
    """(…, n, k) → (B, …, n, k), in the type of `like` (B, …)."""
    return matrix.to(like.dtype).expand(len(like), *matrix.shape)


def _zeros(like: Tensor, channels: int, margin: int) -> Tensor:
    return like.new_zeros(len(like), channels, like.shape[-1] + 2 * margin)
