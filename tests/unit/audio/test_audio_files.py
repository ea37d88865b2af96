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
    with pytest.raises(BadAudio, match="has 2 channels; only mono is supported: mix it down"):
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
    [(b"", "is empty"), (b"this is no audio at all, but text", "cannot be decoded as WAV or FLAC")],
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


@pytest.mark.parametrize("samples", [np.zeros((2, 3)), np.zeros(0), np.array([np.nan])])
def test_what_cannot_be_a_recording_is_not_written(tmp_path, samples):
    with pytest.raises(ValueError, match="samples"):
        write_wav(tmp_path / "a.wav", samples, 16000)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"a\.wav: cannot be written"):
        write_wav(tmp_path / "file" / "a.wav", np.zeros(10), 16000)
