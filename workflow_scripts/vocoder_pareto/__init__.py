"""Energy-aware evaluation of neural vocoders: models, training, measurement, listening test and Pareto analysis.

The library knows nothing of Snakemake. The programs beside it call one function each; the rules hold the order.
"""

from vocoder_pareto.caches import use_writable_caches

use_writable_caches()
