"""To be imported before PyTorch by programs that measure: threads of OpenMP that wait go to sleep instead of spinning.

A spinning thread counts as CPU time though nothing is computed, the more of it the busier the machine: an estimate of
energy was up to 60 times too high. OpenMP reads the variable as it is loaded, so PyTorch must not have been imported.
A policy that the user has set is left alone. docs/measurement.md tells what it costs.

The threads of OpenBLAS, which NumPy and SciPy bring, spin whatever that policy says: librosa's inversion of a
mel-spectrogram took ten times the CPU time, and time, with two of them as with one. So it gets one, whatever stands in
the environment: Snakemake puts the threads of a rule there, which for a measurement are all cores.
"""

import os
import sys

if "torch" not in sys.modules and "GOMP_SPINCOUNT" not in os.environ:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "numpy" not in sys.modules:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
