"""Settings of a training."""

from vocoder_pareto.study.sections.training import NOT_IN_DIGEST  # noqa: F401
