"""Objective quality."""

from pydantic.dataclasses import dataclass

from vocoder_pareto.study.settings import STRICT


@dataclass(frozen=True, config=STRICT)
class QualitySettings:
    """Objective quality of the reconstructions, against the recordings."""

    metrics: tuple[str, ...] = ("estoi", "mcd", "f0_rmse", "vuv_error")
    """Metrics beside the paper's D_STFT, which is always measured; docs/listening_test.md has the table of them:
    mr_stft | log_mel_distance | estoi | mcd | f0_rmse | vuv_error | si_sdr (reported, never ranks) | pesq_wb (needs
    `pip install pesq` and a C compiler). [] for none. The first, second and si_sdr load PyTorch."""

    def __post_init__(self):
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError("metrics names one twice; name each once")
