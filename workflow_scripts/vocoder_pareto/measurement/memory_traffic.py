"""What a module keeps in memory and moves through it, from the shapes of all tensors it makes.

Let an operation j read tensors R_j (arguments, weights among them) and write tensors W_j (results). Then

    moved_bytes       = Σ_j ( Σ_{r in R_j} bytes(r) + Σ_{w in W_j} bytes(w) )       views move nothing and are left out
    activation_bytes  = max_j Σ bytes of the storages that are alive after j        without weights, buffers and input

where bytes of a tensor are its elements × the size of its type. A storage is alive from the operation that makes it
until Python lets go of the last tensor on it, which a weak reference tells: on the meta device too, where a storage has
a size and no memory. Tensors that share a storage (views, results in place) count once. The highest sum is that of
results as a caller sees them; what a kernel takes for itself while it computes is not known.
"""

import weakref
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


@dataclass(frozen=True)
class MemoryTraffic:
    """Bytes of one call in the weights' type.

    Attributes:
        activation_bytes: the most that intermediate results take at one time; weights and input are not in it.
        moved_bytes: what all operations read and write together, weights included, when each reads its inputs from
            memory and writes its result there, as PyTorch does without a compiler and with no help of a cache.
        operations: how many operations moved them: about the kernels that a GPU is told to launch.
    """

    activation_bytes: int
    moved_bytes: int
    operations: int


class MemoryWatch(TorchDispatchMode):
    """While entered, adds up the bytes of operations that move data, and follows which results are alive.

    Only tensors on the device of `signal` count. The weights of `module` and `signal` itself are not activations.
    """

    def __init__(self, module: nn.Module, signal: Tensor):
        super().__init__()
        self._device = signal.device
        kept = [tensor.untyped_storage() for tensor in (signal, *module.parameters(), *module.buffers())]
        self._known: dict[int, object] = {id(storage): storage for storage in kept}
        self._alive = 0
        self._most_alive = 0
        self._moved = 0
        self._operations = 0

    @property
    def traffic(self) -> MemoryTraffic:
        """What was seen so far."""
        return MemoryTraffic(self._most_alive, self._moved, self._operations)

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        """Call `function` and note what it reads, writes and keeps."""
        output = function(*arguments, **(options or {}))
        if not function.is_view:
            results = self._tensors(output)
            if results:
                self._operations += 1
                self._moved += sum(map(_bytes, results)) + sum(map(_bytes, self._tensors((arguments, options or {}))))
            for result in results:
                self._note(result.untyped_storage())
        return output

    def _tensors(self, value) -> list[Tensor]:
        return [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor) and leaf.device == self._device]

    def _note(self, storage: torch.UntypedStorage) -> None:
        key = id(storage)
        if key not in self._known:
            size = storage.nbytes()
            self._known[key] = weakref.ref(storage, lambda _: self._forget(key, size))
            self._alive += size
            self._most_alive = max(self._most_alive, self._alive)

    def _forget(self, key: int, size: int) -> None:
        del self._known[key]
        self._alive -= size


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
