"""What a vocoder keeps in memory and moves through it, from the shapes of all tensors it makes."""

import weakref
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from vocoder_pareto.measurement.flops import as_counted
from vocoder_pareto.models.vocoder import Vocoder


@dataclass(frozen=True)
class MemoryTraffic:
    """Bytes of one call in the weights' type.

    Attributes:
        activation_bytes: the most that intermediate results take at one time; weights and input are not in it.
        moved_bytes: what all operations read and write together, weights included, when each reads its inputs from
            memory and writes its result there, as PyTorch does without a compiler and with no help of a cache.
    """

    activation_bytes: int
    moved_bytes: int


def memory_traffic(vocoder: Vocoder, frames: int) -> MemoryTraffic:
    """Memory of `generate` for one mel-spectrogram of `frames` frames; nothing is computed."""
    generation, mel = as_counted(vocoder, frames, plainly=False)
    kept = [tensor.untyped_storage() for tensor in (mel, *generation.parameters(), *generation.buffers())]
    watch = _MemoryWatch(kept)
    with torch.no_grad(), watch:
        generation(mel)
    return MemoryTraffic(watch.most_alive, watch.moved)


class _MemoryWatch(TorchDispatchMode):
    """Adds up the bytes of operations that move data, and follows which results are alive."""

    def __init__(self, kept: list[torch.UntypedStorage]):
        super().__init__()
        self._known = {id(storage): storage for storage in kept}
        self._alive = 0
        self.most_alive = 0
        self.moved = 0

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        """Run `function` and note what it reads, writes and keeps."""
        output = function(*arguments, **(options or {}))
        if not function.is_view:
            results = _tensors(output)
            self.moved += sum(map(_bytes, results)) + sum(map(_bytes, _tensors((arguments, options or {}))))
            for result in results:
                self._note(result.untyped_storage())
        return output

    def _note(self, storage: torch.UntypedStorage) -> None:
        key = id(storage)
        if key not in self._known:
            size = storage.nbytes()
            self._known[key] = weakref.ref(storage, lambda _: self._forget(key, size))
            self._alive += size
            self.most_alive = max(self.most_alive, self._alive)

    def _forget(self, key: int, size: int) -> None:
        del self._known[key]
        self._alive -= size


def _tensors(value) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
