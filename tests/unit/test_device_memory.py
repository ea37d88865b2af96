import numpy as np
import pytest
import torch

from vocoder_pareto.device_memory import is_out_of_memory

# As PyTorch words them, and people report them.
REPORTED = (
    "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 23.68 GiB of which 2 MiB is free",
    "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API call",
    "HIP out of memory. Tried to allocate 2.00 GiB",
    "MPS backend out of memory (MPS allocated: 17.46 GB, other allocations: 1.20 GB, max allowed: 18.13 GB)",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "CUDA error: HIPBLAS_STATUS_ALLOC_FAILED when calling `hipblasCreate(handle)`",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "cuDNN error: CUDNN_STATUS_NOT_SUPPORTED. This error may appear if you passed in a non-contiguous input.",
    "cuFFT error: CUFFT_ALLOC_FAILED",
    "cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`",
    "GET was unable to find an engine to execute this computation",
    "FIND was unable to find an engine to execute this computation",
    "Unable to find a valid cuDNN algorithm to run convolution",
    "Expected canUse32BitIndexMath(input) && canUse32BitIndexMath(output) to be true, but got false.",
)


@pytest.mark.parametrize("message", REPORTED)
def test_a_lack_of_memory_is_known_by_all_its_names(message):
    assert is_out_of_memory(RuntimeError(message))


@pytest.mark.parametrize("take", [lambda: torch.empty(2**58), lambda: np.empty(2**58)])
def test_what_pytorch_and_numpy_raise_here_for_more_memory_than_there_is_is_known(take):
    with pytest.raises((RuntimeError, MemoryError)) as raised:
        take()
    assert is_out_of_memory(raised.value)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: device-side assert triggered"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
        RuntimeError("DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that dataloader's "
                     "workers are out of shared memory. Please try to raise your shared memory limit."),
        ValueError("out of memory"),
    ],
)  # fmt: skip
def test_other_errors_are_not_taken_for_it(error):
    assert not is_out_of_memory(error)
