"""What vocoders take in, by the settings of a front end: in PyTorch, differentiable, on any device.

Equal to librosa's mel-spectrograms, but for the frame on the very end of a clip, which is left out. The paper does not
say how the ends are continued. Its authors' code (`get_audio_preprocess` of src/preprocess.py) calls
`librosa.feature.melspectrogram` of librosa 0.8.1, whose `pad_mode` is "reflect"; from librosa 0.9 on it is "constant",
which changes the outer four frames.
"""

from functools import cache

import torch
import torchaudio
from torch import Tensor
from torch.nn import functional

from vocoder_pareto.reflection import reflection_padded
from vocoder_pareto.study.sections.front_ends import FrontEndSettings, GivenNormalization


def features(audio: Tensor, front_end: FrontEndSettings) -> Tensor:
    """Waveforms (…, T) in [-1, 1] → what a vocoder takes in (…, M, ⌊T / hop_length⌋).

    Normalised where the settings give the numbers; a minimum and maximum that are found in the data, see `ranges_of`
    and `min_max_normalized`, are not applied.

    Raises:
        ValueError: The settings lack the numbers of their normalisation.
    """
    if front_end.representation == "waveform":
        return audio.unfold(-1, front_end.hop_length, front_end.hop_length).transpose(-1, -2)
    values = _compressed(_mel_spectrogram(audio, front_end), front_end)
    given = front_end.normalization
    if not isinstance(given, GivenNormalization):
        return values
    if given.mean is None or given.scale is None:
        raise ValueError("the normalisation of the front end has no mean and scale")
    mean, scale = (torch.tensor(each, dtype=values.dtype, device=values.device) for each in (given.mean, given.scale))
    values = (values - mean[..., None]) / scale[..., None]
    is_clamped = given.minimum is not None or given.maximum is not None
    return values.clamp(given.minimum, given.maximum) if is_clamped else values


def min_max_normalized(values: Tensor, ranges: Tensor) -> Tensor:
    """Map features (B, M, L) from their `ranges` of minimum and maximum (B, 2) to [0, 1]; constant ones become 0."""
    minimum, maximum = ranges[:, 0, None, None], ranges[:, 1, None, None]
    span = maximum - minimum
    return torch.where(span > 0, (values - minimum) / torch.where(span > 0, span, 1), 0)


def ranges_of(values: Tensor) -> Tensor:
    """Minimum and maximum of each clip's features: (B, M, L) → (B, 2)."""
    return torch.stack([values.amin(dim=(1, 2)), values.amax(dim=(1, 2))], dim=1)


def _mel_spectrogram(audio: Tensor, front_end: FrontEndSettings) -> Tensor:
    """Waveforms (…, T) → mel magnitudes or powers (…, L, M)."""
    window, filters = _analysis(front_end, audio.device, audio.dtype)
    frames = _padded(audio, front_end).unfold(-1, front_end.n_fft, front_end.hop_length)
    frames = frames[..., : audio.shape[-1] // front_end.hop_length, :]  # (…, L, n_fft)
    # Squares of real and imaginary parts where they lie: twice as fast as abs() and square(), or a sum over the pairs.
    squares = torch.view_as_real(torch.fft.rfft(frames * window)).square_()  # (…, L, n_fft / 2 + 1, 2)
    power = squares[..., 0] + squares[..., 1]
    if front_end.power == 1:
        power = (power + front_end.epsilon).sqrt() if front_end.epsilon else power.sqrt()
    return power @ filters  # (…, L, n_fft / 2 + 1) -> (…, L, M)


def _compressed(mel: Tensor, front_end: FrontEndSettings) -> Tensor:
    """The logarithm of mel-spectrograms: (…, L, M) → (…, M, L)."""
    held = mel.clamp(min=front_end.floor) if front_end.floor else mel
    match front_end.logarithm:
        case "log1p":
            values = torch.log1p(held)
        case "ln":
            values = torch.log(held)
        case "log10":
            values = torch.log10(held)
        case "dB":
            values = 20 / front_end.power * torch.log10(held)
    return values.transpose(-1, -2)


def _padded(audio: Tensor, front_end: FrontEndSettings) -> Tensor:
    if front_end.padding == "center_zeros":
        return functional.pad(audio, (front_end.n_fft // 2, front_end.n_fft // 2))
    is_centred = front_end.padding == "center_reflect"
    amount = front_end.n_fft // 2 if is_centred else (front_end.n_fft - front_end.hop_length) // 2
    return reflection_padded(audio.reshape(1, -1, audio.shape[-1]), amount).reshape(*audio.shape[:-1], -1)


@cache
@torch.inference_mode(False)  # a tensor made in inference mode could not be used in training afterwards
def _analysis(front_end: FrontEndSettings, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Window (n_fft) and mel filters (n_fft / 2 + 1, M)."""
    filters = torchaudio.functional.melscale_fbanks(
        n_freqs=front_end.n_fft // 2 + 1,
        f_min=front_end.fmin,
        f_max=front_end.highest_hertz,
        n_mels=front_end.n_mels,
        sample_rate=front_end.sample_rate,
        norm=None if front_end.mel_norm == "none" else front_end.mel_norm,
        mel_scale=front_end.mel_scale,
    )
    window = torch.hann_window(front_end.window_samples, dtype=dtype, device=device)
    if front_end.normalized_window:
        window = window / window.square().sum().sqrt()
    missing = front_end.n_fft - front_end.window_samples
    window = functional.pad(window, (missing // 2, missing - missing // 2)) if missing else window
    return window, filters.to(device, dtype)
