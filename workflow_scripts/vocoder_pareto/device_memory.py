"""The many names under which PyTorch and the libraries below it say that work needs more memory than there is."""

import torch

# As parts of a message, in small letters.
_NAMES = (
    "out of memory",  # CUDA, HIP, XPU, MPS and Triton, and CUDA's own error where its context has no room
    "can't allocate memory",  # the processor's allocator
    "not enough memory: you tried to allocate",  # the same on macOS and Windows
    "status_alloc_failed",  # cuBLAS, cuDNN, cuSOLVER and their like of AMD
    "fft_alloc_failed",  # cuFFT, hipFFT
    "statusallocfailed",  # MIOpen
    "rocblas_status_memory_error",
    # cuDNN where no algorithm has the workspace that it wants.
    "unable to find an engine",
    "unable to find a valid cudnn algorithm",
    "cudnn_status_not_supported",
    # More values in a tensor than 32 bits count: a smaller batch mends it as it mends a lack of memory.
    "canuse32bitindexmath",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that smaller work would fit: memory that cannot be had, or tensors beyond what is computed.

    A message of cuDNN can mean a layer that it cannot compute at all; then no batch fits, not even one clip.
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(name in str(error).lower() for name in _NAMES)
