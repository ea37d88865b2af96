import re
import struct

import numpy as np
import pytest
import soundfile

from vocoder_pareto.audio.files import BadAudio, read_audio, write_wav
from vocoder_pareto.errors import UserError


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "größe und raum.wav"])
def test_samples_are_those_that_libsndfile_reads(tmp_path, noise, name):
    soundfile.write(tmp_path / name, noise(5000), 22050)
    recording = read_audio(tmp_path / name)
    expected, rate = soundfile.read(tmp_path / name, dtype="float32")
    np.testing.assert_array_equal(recording.samples, expected)
    assert (recording.sample_rate, rate, recording.duration_seconds) == (22050, 22050, 5000 / 22050)


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_the_beginning_is_read_alone_but_the_duration_is_of_the_whole(tmp_path, noise, name):
    soundfile.write(tmp_path / name, noise(5000), 8000)
    recording = read_audio(tmp_path / name, wanted_frames=lambda rate: rate // 8)
    assert len(recording.samples) == 1000
    assert recording.duration_seconds == 5000 / 8000


@pytest.mark.parametrize("wanted", [None, lambda rate: 1000])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_truncated_wav_is_refused_although_its_beginning_is_there(tmp_path, noise, subtype, wanted):
    soundfile.write(tmp_path / "a.wav", noise(5000), 22050, subtype=subtype)
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content[:-3000])
    with pytest.raises(BadAudio, match=r"a\.wav: is truncated"):
        read_audio(tmp_path / "a.wav", wanted)


def test_a_truncated_flac_is_refused_although_its_beginning_is_there(tmp_path, noise):
    soundfile.write(tmp_path / "a.flac", noise(50000), 22050)
    content = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(content[:-20000])
    with pytest.raises(BadAudio, match=r"a\.flac: "):
        read_audio(tmp_path / "a.flac", wanted_frames=lambda rate: 1000)


def test_chunks_behind_and_before_the_audio_are_no_fault(tmp_path, noise):
    soundfile.write(tmp_path / "a.wav", noise(1000), 22050)
    content = (tmp_path / "a.wav").read_bytes()
    extra = b"LIST" + struct.pack("<I", 5) + b"hello\0"
    (tmp_path / "a.wav").write_bytes(content[:12] + extra + content[12:] + extra)
    assert len(read_audio(tmp_path / "a.wav").samples) == 1000


def test_a_truncated_wav_is_refused_behind_a_chunk_of_odd_length(tmp_path, noise):
    soundfile.write(tmp_path / "a.wav", noise(1000), 22050)
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content[:12] + b"LIST" + struct.pack("<I", 5) + b"hello\0" + content[12:-10])
    with pytest.raises(BadAudio, match="is truncated"):
        read_audio(tmp_path / "a.wav")


def test_a_streamed_wav_of_unknown_length_is_read(tmp_path, noise):
    soundfile.write(tmp_path / "a.wav", noise(1000), 22050)
    content = (tmp_path / "a.wav").read_bytes()
    start = content.index(b"data")
    (tmp_path / "a.wav").write_bytes(content[: start + 4] + b"\xff\xff\xff\xff" + content[start + 8 :])
    assert len(read_audio(tmp_path / "a.wav").samples) == 1000


def test_stereo_is_refused_with_its_mend(tmp_path, noise):
    soundfile.write(tmp_path / "a.wav", noise(1000).reshape(-1, 2), 22050)
    with pytest.raises(BadAudio, match="has 2 channels, expected 1; mix it down or pick one"):
        read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(tmp_path, noise, value):
    samples = noise(1000)
    samples[500] = value
    soundfile.write(tmp_path / "a.wav", samples, 22050, subtype="FLOAT")
    with pytest.raises(BadAudio, match="holds NaN or Inf"):
        read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"this is no audio at all, but text", "cannot be decoded as audio")],
)
def test_a_file_that_is_no_audio_is_refused(tmp_path, content, reason):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(BadAudio, match=reason):
        read_audio(tmp_path / "a.wav")


def test_a_wav_without_samples_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0, dtype=np.float32), 22050)
    with pytest.raises(BadAudio, match="holds no samples"):
        read_audio(tmp_path / "a.wav")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadAudio, match=r"gone\.wav: cannot be read \(No such file"):
        read_audio(tmp_path / "gone.wav")


def test_a_folder_in_place_of_a_file_is_named(tmp_path):
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(BadAudio, match=r"a\.wav: cannot be read"):
        read_audio(tmp_path / "a.wav")


def test_what_was_read_is_written_without_change(tmp_path, noise):
    write_wav(tmp_path / "a.wav", noise(1000), 16000)
    write_wav(tmp_path / "b.wav", read_audio(tmp_path / "a.wav").samples, 16000)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_written_samples_are_within_half_a_step_of_16_bits(tmp_path, noise):
    samples = noise(1000)
    assert write_wav(tmp_path / "a.wav", samples, 16000) == 0
    header = soundfile.info(tmp_path / "a.wav")
    assert (header.subtype, header.samplerate, header.channels) == ("PCM_16", 16000, 1)
    assert np.abs(read_audio(tmp_path / "a.wav").samples - samples).max() <= 2.0**-16


def test_samples_beyond_full_scale_are_clipped_and_counted(tmp_path):
    samples = np.array([0.0, 1.0, -1.0, 1.2, -7.0, 0.5], dtype=np.float32)
    assert write_wav(tmp_path / "a.wav", samples, 16000) == 2
    written, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    np.testing.assert_array_equal(written, [0, 32767, -32768, 32767, -32768, 16384])


@pytest.mark.parametrize("samples", [np.zeros((2, 3, 4)), np.zeros(0), np.array([np.nan])])
def test_what_cannot_be_a_recording_is_not_written(tmp_path, samples):
    with pytest.raises(ValueError, match="samples"):
        write_wav(tmp_path / "a.wav", samples, 16000)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"a\.wav: cannot be written"):
        write_wav(tmp_path / "file" / "a.wav", np.zeros(10), 16000)


def write_in_scale_of(path, samples, bits):
    """Samples as floats with the values of whole numbers of so many bits, the mistake of many converters."""
    soundfile.write(path, np.round(samples * 2.0 ** (bits - 1)), 22050, subtype="DOUBLE")


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_what_is_to_be_divided_by_gives_the_recording_that_libsndfile_reads(tmp_path, noise, bits):
    soundfile.write(tmp_path / "right.wav", noise(1000), 22050, subtype=f"PCM_{bits}")
    whole_numbers = soundfile.read(tmp_path / "right.wav", dtype="int32")[0] / 2.0 ** (32 - bits)
    soundfile.write(tmp_path / "a.wav", whole_numbers, 22050, subtype="DOUBLE")
    reach = f"{np.abs(whole_numbers).max():.6g}"
    with pytest.raises(BadAudio) as raised:
        read_audio(tmp_path / "a.wav")
    told = re.fullmatch(r".*reach ±(\S+), and ±1 is full scale: .*divide all samples by (\d+)", str(raised.value))
    assert told, str(raised.value)
    assert told[1] == reach
    right, _ = soundfile.read(tmp_path / "right.wav", dtype="float64")
    np.testing.assert_allclose(whole_numbers / int(told[2]), right, atol=1e-9)


def test_quiet_whole_numbers_are_told_from_an_amplified_recording(tmp_path, noise):
    write_in_scale_of(tmp_path / "a.wav", noise(1000) * 2e-4, 16)  # ±6, the noise of a room in 16 bits
    with pytest.raises(BadAudio, match="divide all samples by 32768"):
        read_audio(tmp_path / "a.wav")
    soundfile.write(tmp_path / "b.wav", noise(1000) / 0.9 * 3, 22050, subtype="FLOAT")
    with pytest.raises(BadAudio, match=r"reach ±2\.9\d+, and ±1 is full scale; divide all samples by 2\.9\d+ or more"):
        read_audio(tmp_path / "b.wav")


def test_a_little_beyond_full_scale_is_as_decoders_leave_it(tmp_path, noise):
    loud = noise(1000) * 2
    soundfile.write(tmp_path / "a.wav", loud, 22050, subtype="FLOAT")
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav").samples, loud)


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_channels_are_mixed_to_their_mean_or_the_first_is_taken(tmp_path, noise, name):
    soundfile.write(tmp_path / name, noise(3000).reshape(-1, 3), 22050)
    stored, _ = soundfile.read(tmp_path / name, dtype="float64")
    mixed, first = (read_audio(tmp_path / name, channels=channels) for channels in ("mix", "first"))
    np.testing.assert_array_equal(mixed.samples, np.mean(stored, axis=1).astype(np.float32))
    np.testing.assert_array_equal(first.samples, stored[:, 0].astype(np.float32))
    assert (mixed.channels, mixed.duration_seconds) == (3, 1000 / 22050)


def test_a_channel_that_is_not_used_may_be_damaged(tmp_path, noise):
    samples = np.stack([noise(1000), np.full(1000, np.nan)], axis=1)
    soundfile.write(tmp_path / "a.wav", samples, 22050, subtype="FLOAT")
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav", channels="first").samples, noise(1000))
    with pytest.raises(BadAudio, match="holds NaN"):
        read_audio(tmp_path / "a.wav", channels="mix")


CONTAINERS = ["aiff", "au", "caf", "w64", "rf64", "voc", "ogg", "mp3", "nist"]


@pytest.mark.parametrize("container", CONTAINERS)
def test_what_libsndfile_reads_is_read(tmp_path, noise, container):
    path = tmp_path / f"a.{container}"
    soundfile.write(path, 0.5 * noise(30000), 22050, format=container)
    expected, _ = soundfile.read(path, dtype="float32")
    rounding = 2.0**-22 if container == "mp3" else 0  # libsndfile seeks between reads, and its decoder then rounds anew
    recording = read_audio(path)
    np.testing.assert_allclose(recording.samples, expected, rtol=0, atol=rounding)
    assert recording.duration_seconds == len(expected) / 22050
    beginning = read_audio(path, wanted_frames=lambda rate: 5000)
    np.testing.assert_allclose(beginning.samples, expected[:5000], rtol=0, atol=rounding)
    assert beginning.duration_seconds == recording.duration_seconds


def test_opus_is_read_at_the_rate_that_libsndfile_gives(tmp_path, noise):
    soundfile.write(tmp_path / "a.opus", 0.5 * noise(30000), 24000, format="OGG", subtype="OPUS")
    expected, rate = soundfile.read(tmp_path / "a.opus", dtype="float32")
    recording = read_audio(tmp_path / "a.opus")
    np.testing.assert_array_equal(recording.samples, expected)
    assert recording.sample_rate == rate


@pytest.mark.parametrize("container", ["aiff", "au", "w64", "rf64", "caf"])
@pytest.mark.parametrize("wanted", [None, lambda rate: 1000])
def test_other_containers_that_are_cut_are_refused_although_their_beginning_is_there(
    tmp_path, noise, container, wanted
):
    path = tmp_path / f"a.{container}"
    soundfile.write(path, noise(30000), 22050, format=container)
    path.write_bytes(path.read_bytes()[:30000])
    with pytest.raises(BadAudio, match=r"is truncated: its header promises|malformed"):
        read_audio(path, wanted)


def without_length(flac):
    """A FLAC file as it comes out of a pipe: the 36 bits of its header that hold its length are zeros (RFC 9639)."""
    assert flac[:4] == b"fLaC"
    return flac[:21] + bytes([flac[21] & 0xF0]) + bytes(4) + flac[26:]


@pytest.mark.parametrize("frames", [1, 1 << 16, (1 << 16) + 1, 150_000])
@pytest.mark.parametrize("wanted", [None, 1, 1 << 16, 70_000])
def test_a_flac_of_unknown_length_is_read_and_its_length_is_found(tmp_path, noise, frames, wanted):
    soundfile.write(tmp_path / "whole.flac", noise(frames), 22050)
    (tmp_path / "a.flac").write_bytes(without_length((tmp_path / "whole.flac").read_bytes()))
    assert soundfile.info(tmp_path / "a.flac").frames > 2**60
    recording = read_audio(tmp_path / "a.flac", None if wanted is None else lambda rate: wanted)
    expected, _ = soundfile.read(tmp_path / "whole.flac", dtype="float32")
    np.testing.assert_array_equal(recording.samples, expected[:wanted])
    assert recording.duration_seconds == frames / 22050


def test_a_flac_of_unknown_length_that_is_cut_is_refused(tmp_path, noise):
    soundfile.write(tmp_path / "a.flac", noise(150_000), 22050)
    (tmp_path / "a.flac").write_bytes(without_length((tmp_path / "a.flac").read_bytes())[:-20_000])
    with pytest.raises(BadAudio, match="cannot be decoded"):
        read_audio(tmp_path / "a.flac", wanted_frames=lambda rate: 1000)


# What ffmpeg, SoX, eSpeak NG, arecord and GStreamer promise of a stream whose length they do not know.
STREAM_SIZES = [0xFFFFFFFF, 0xFFFFFFFF - 36, 0x7FFFF000, 0x7FFFFFFF, 0x80000000]


@pytest.mark.parametrize("size", STREAM_SIZES)
def test_a_wav_with_the_header_of_a_stream_is_read_to_its_end(tmp_path, noise, size):
    soundfile.write(tmp_path / "a.wav", noise(5000), 22050)
    content = (tmp_path / "a.wav").read_bytes()
    start = content.index(b"data")
    (tmp_path / "b.wav").write_bytes(content[: start + 4] + struct.pack("<I", size) + content[start + 8 :])
    for wanted in (None, lambda rate: 1000):
        one, other = read_audio(tmp_path / "a.wav", wanted), read_audio(tmp_path / "b.wav", wanted)
        np.testing.assert_array_equal(one.samples, other.samples)
        assert one.duration_seconds == other.duration_seconds


def test_a_wav_whose_header_was_never_completed_is_refused_with_a_way_out(tmp_path, noise):
    soundfile.write(tmp_path / "a.wav", noise(5000), 22050)
    content = (tmp_path / "a.wav").read_bytes()
    start = content.index(b"data")
    (tmp_path / "a.wav").write_bytes(content[: start + 4] + bytes(4) + content[start + 8 :])
    with pytest.raises(BadAudio, match=r"holds no samples by its header; .* written anew with ffmpeg -ignore_length 1"):
        read_audio(tmp_path / "a.wav")
