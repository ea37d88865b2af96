"""Log-mel-spectrograms and their normalisation, equal to librosa's, in PyTorch: differentiable, on any device."""

from functools import cache

import torch
import torchaudio
from torch import Tensor
from torch.nn import functional

from vocoder_pareto.audio.format import AudioFormat


def log_mel_spectrogram(audio: Tensor, audio_format: AudioFormat) -> Tensor:
    """Waveforms (…, T) in [-1, 1] → log(1 + mel power) (…, M, ⌊T / hop_length⌋), in nats.

    Equal to `librosa.feature.melspectrogram` (Hann window, centred frames with zeros beyond the ends, Slaney's mel
    scale and norm), without the last of its frames, which lies on the end of the clip.
    """
    window, filters = _analysis(audio_format, audio.device, audio.dtype)
    padded = functional.pad(audio, (audio_format.n_fft // 2, audio_format.n_fft // 2))
    frames = padded.unfold(-1, audio_format.n_fft, audio_format.hop_length)
    frames = frames[..., : audio.shape[-1] // audio_format.hop_length, :]  # (…, L, n_fft)
    # Squares of real and imaginary parts where they lie: twice as fast as abs() and square(), or a sum over the pairs.
    squares = torch.view_as_real(torch.fft.rfft(frames * window)).square_()  # (…, L, n_fft / 2 + 1, 2)
    power = squares[..., 0] + squares[..., 1]
    return torch.log1p(power @ filters).transpose(-1, -2)  # (…, L, n_fft / 2 + 1) -> (…, M, L)


def min_max_normalized(log_mel: Tensor, ranges: Tensor) -> Tensor:
    """Map log-mels (B, M, L) from their `ranges` of minimum and maximum (B, 2) to [0, 1]; constant ones become 0."""
    minimum, maximum = ranges[:, 0, None, None], ranges[:, 1, None, None]
    span = maximum - minimum
    return torch.where(span > 0, (log_mel - minimum) / torch.where(span > 0, span, 1), 0)


def ranges_of(log_mel: Tensor) -> Tensor:
    """Minimum and maximum of each log-mel-spectrogram: (B, M, L) → (B, 2)."""
    return torch.stack([log_mel.amin(dim=(1, 2)), log_mel.amax(dim=(1, 2))], dim=1)


@cache
@torch.inference_mode(False)  # a tensor made in inference mode could not be used in training afterwards
def _analysis(audio_format: AudioFormat, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Window (n_fft) and mel filters (n_fft / 2 + 1, M)."""
    filters = torchaudio.functional.melscale_fbanks(
        n_freqs=audio_format.n_fft // 2 + 1,
        f_min=0.0,
        f_max=audio_format.sample_rate / 2,
        n_mels=audio_format.n_mels,
        sample_rate=audio_format.sample_rate,
        norm="slaney",
        mel_scale="slaney",
    )
    window = torch.hann_window(audio_format.n_fft, dtype=dtype, device=device)
    return window, filters.to(device, dtype)
