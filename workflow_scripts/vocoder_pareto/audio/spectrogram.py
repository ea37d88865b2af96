"""Log-mel-spectrograms and their normalisation, equal to librosa's, in PyTorch: differentiable, on any device.

Two front ends: `log_mel_spectrogram` is that of the paper, `log_magnitude_mel_spectrogram` that of HiFi-GAN. Both have
frames with a periodic Hann window of n_fft samples, Slaney's mel scale and norm, bands up to half the sample rate, and
continue the ends by reflection.

The paper does not say how the ends are continued. Its authors' code calls `librosa.feature.melspectrogram` of librosa
0.8.1, whose `pad_mode` is "reflect"; from librosa 0.9 on it is "constant", which changes the outer four frames.
"""

from functools import cache

import torch
import torchaudio
from torch import Tensor

from vocoder_pareto.audio.format import AudioFormat
from vocoder_pareto.reflection import reflection_padded


def log_mel_spectrogram(audio: Tensor, audio_format: AudioFormat) -> Tensor:
    """Waveforms (…, T) in [-1, 1] → log(1 + mel power) (…, M, ⌊T / hop_length⌋), in nats.

    Equal to `librosa.feature.melspectrogram(…, pad_mode="reflect")`, whose frames are centred on the multiples of
    hop_length, without the last of them, which lies on the end of the clip.

    Source: Douwes et al. 2023, section 4.2.2; `get_audio_preprocess` in their code (src/preprocess.py).
    """
    window, filters = _analysis(audio_format, audio.device, audio.dtype)
    power = _power(audio, audio_format, window, audio_format.n_fft // 2)
    return torch.log1p(power @ filters).transpose(-1, -2)  # (…, L, n_fft / 2 + 1) -> (…, M, L)


def log_magnitude_mel_spectrogram(audio: Tensor, audio_format: AudioFormat) -> Tensor:
    """Waveforms (…, T) in [-1, 1] → ln(max(mel magnitude, 1e-5)) (…, M, ⌊T / hop_length⌋), in nats.

    Frame l begins (n_fft − hop_length) / 2 samples before sample l · hop_length, so that frames share the clip out.

    Source: `mel_spectrogram` in meldataset.py of github.com/jik876/hifi-gan, the official code of HiFi-GAN.
    """
    window, filters = _analysis(audio_format, audio.device, audio.dtype)
    power = _power(audio, audio_format, window, (audio_format.n_fft - audio_format.hop_length) // 2)
    magnitude = (power + 1e-9).sqrt()  # the addend keeps gradients finite
    return (magnitude @ filters).clamp(min=1e-5).log().transpose(-1, -2)


def min_max_normalized(log_mel: Tensor, ranges: Tensor) -> Tensor:
    """Map log-mels (B, M, L) from their `ranges` of minimum and maximum (B, 2) to [0, 1]; constant ones become 0."""
    minimum, maximum = ranges[:, 0, None, None], ranges[:, 1, None, None]
    span = maximum - minimum
    return torch.where(span > 0, (log_mel - minimum) / torch.where(span > 0, span, 1), 0)


def ranges_of(log_mel: Tensor) -> Tensor:
    """Minimum and maximum of each log-mel-spectrogram: (B, M, L) → (B, 2)."""
    return torch.stack([log_mel.amin(dim=(1, 2)), log_mel.amax(dim=(1, 2))], dim=1)


def _power(audio: Tensor, audio_format: AudioFormat, window: Tensor, padding: int) -> Tensor:
    """Power spectra (…, L, n_fft / 2 + 1) of waveforms (…, T) that `padding` samples are added to at both ends."""
    samples = audio.shape[-1]
    padded = reflection_padded(audio.reshape(1, -1, samples), padding).reshape(*audio.shape[:-1], -1)
    frames = padded.unfold(-1, audio_format.n_fft, audio_format.hop_length)
    frames = frames[..., : samples // audio_format.hop_length, :]  # (…, L, n_fft)
    # Squares of real and imaginary parts where they lie: twice as fast as abs() and square(), or a sum over the pairs.
    squares = torch.view_as_real(torch.fft.rfft(frames * window)).square_()  # (…, L, n_fft / 2 + 1, 2)
    return squares[..., 0] + squares[..., 1]


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
