"""A voice of CMU ARCTIC, from archives that the tests make in the layout of the real ones: nothing is downloaded.

torchaudio, which knows the real ones, reads the same folders.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import soundfile
from torchaudio.datasets import CMUARCTIC, cmuarctic

from vocoder_pareto import downloads
from vocoder_pareto.audio.archives import extract, fetch_archive
from vocoder_pareto.audio.clips import prepare_clips
from vocoder_pareto.audio.cmu_arctic import arctic_corpus, published_arctic
from vocoder_pareto.audio.corpora import list_corpus
from vocoder_pareto.audio.corpus_location import corpus_files
from vocoder_pareto.audio.dataset import read_clip_table
from vocoder_pareto.downloads import Release
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.companions import damaged_companions
from vocoder_pareto.study.sections.dataset import ArcticVoice, DatasetSettings

PROGRAM = Path(__file__).parents[3] / "workflow_scripts" / "fetch_cmu_arctic.py"
NAMES = [f"arctic_{part}{number:04d}" for part in "ab" for number in range(1, 6)]
SLT = arctic_corpus("slt")


@pytest.fixture
def folder(tmp_path, noise):
    """Ten short recordings in the folders of a real voice: wav/, etc/txt.done.data, and files that we do not read."""
    made = tmp_path / "made" / "cmu_us_slt_arctic"
    for name in ("wav", "etc", "lab"):
        (made / name).mkdir(parents=True)
    for seed, name in enumerate(NAMES):
        soundfile.write(made / "wav" / f"{name}.wav", noise(20000, seed), 16000)
        (made / "lab" / f"{name}.lab").write_text("#\n")
    prompts = [f'( {name} "Philip Steels, etc. {name[-4:]}" )\n' for name in NAMES]
    (made / "etc" / "txt.done.data").write_text("".join(prompts), encoding="utf-8")
    (made / "COPYING").write_text("Carnegie Mellon University")
    return made


@pytest.fixture
def archive(folder, tmp_path):
    file = tmp_path / "cmu_us_slt_arctic.tar.bz2"
    with tarfile.open(file, "w:bz2") as members:
        members.add(folder, folder.name)
    return file


def release_of(archive):
    return Release(archive.as_uri(), hashlib.sha256(archive.read_bytes()).hexdigest())


def test_torchaudio_knows_the_same_archives_of_the_same_voices():
    known = getattr(cmuarctic, "_CHECKSUMS", None)
    if known is None:
        pytest.skip("this version of torchaudio keeps them elsewhere")
    ours = [published_arctic(voice) for voice in get_args(ArcticVoice)]
    assert {release.url: release.sha256 for release in ours} == known


def test_an_unknown_voice_is_named_with_those_that_there_are():
    with pytest.raises(UserError, match=r"has no voice 'abc'; its voices: aew, .*slt"):
        published_arctic("abc")


def test_a_download_becomes_the_folder_that_torchaudio_reads(archive, tmp_path):
    target = tmp_path / "ARCTIC" / "cmu_us_slt_arctic"
    fetch_archive(SLT, release_of(archive), None, target)
    recordings = list_corpus("cmu_arctic", target)
    theirs = CMUARCTIC(tmp_path, "slt")
    assert [recording.clip_id for recording in recordings] == [line[0].split()[1] for line in theirs._walker]
    assert [recording.name for recording in recordings] == [f"wav/{name}.wav" for name in NAMES]
    assert (target / "metadata.csv").read_text().splitlines() == NAMES, "what the rule makes"
    assert damaged_companions(target / "metadata.csv") == []
    (target / "wav" / f"{NAMES[2]}.wav").unlink()
    assert [name for name, _ in damaged_companions(target / "metadata.csv")] == [f"{target}/wav/{NAMES[2]}.wav"]


def test_the_users_archive_must_have_the_checksum(archive, tmp_path):
    release = release_of(archive)
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"its SHA-256 is .* damaged or not CMU ARCTIC, voice slt; download it again"):
        fetch_archive(SLT, release, archive, tmp_path / "out" / "cmu_us_slt_arctic")
    with pytest.raises(UserError, match=r"cmu_us_slt_arctic\.tar\.bz2: (truncated|holds no)"):
        extract(SLT, archive, tmp_path / "out" / "cmu_us_slt_arctic")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_unreachable_server_is_named_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads.time, "sleep", lambda seconds: None)
    release = Release("http://127.0.0.1:1/cmu_us_slt_arctic.tar.bz2", "0" * 64)
    with pytest.raises(UserError, match=r"download failed .*set dataset\.path to the folder cmu_us_slt_arctic or to"):
        fetch_archive(SLT, release, None, tmp_path / "cmu_us_slt_arctic")


def test_an_archive_of_another_voice_is_refused(archive, tmp_path):
    with pytest.raises(UserError, match=r"holds no cmu_us_bdl_arctic/etc/txt\.done\.data, so it is truncated"):
        extract(arctic_corpus("bdl"), archive, tmp_path / "out" / "cmu_us_bdl_arctic")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("arctic_a0009 without brackets", "line 11: .* is no prompt of CMU ARCTIC"),
        ('( ../../evil "He" )', "line 11: '../../evil' is no identifier"),
        ('( arctic_a0001 "Again" )', "lists 'arctic_a0001' twice"),
    ],
)
def test_a_damaged_list_is_named(folder, line, fault):
    with (folder / "etc" / "txt.done.data").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(UserError, match=f"txt\\.done\\.data.*{fault}"):
        list_corpus("cmu_arctic", folder)


def test_a_folder_of_something_else_is_named(tmp_path):
    with pytest.raises(UserError, match=r"txt\.done\.data: no such file; dataset\.path must be the folder"):
        list_corpus("cmu_arctic", tmp_path)


def test_what_tells_two_folders_apart_are_the_recordings_and_their_list(folder):
    names = [file.relative_to(folder).as_posix() for file in corpus_files(folder)]
    assert names == ["etc/txt.done.data", *(f"wav/{name}.wav" for name in NAMES)]


def test_clips_are_at_the_rate_of_the_corpus_and_the_split_is_the_same_each_time(folder, tmp_path):
    settings = DatasetSettings(source="cmu_arctic", clips=None)
    tables = []
    for name in ("one", "two"):
        out = tmp_path / name
        out.mkdir()
        outputs = {"clips": out / "clips.npy", "table": out / "clips.csv", "skipped": out / "skipped.csv"}
        prepare_clips(
            folder, settings, sample_rate=16000, clip_samples=16384, seed=0, processes=1, **outputs,
            summary=out / "dataset_summary.json",
        )  # fmt: skip
        tables.append(read_clip_table(out / "clips.csv"))
    assert tables[0] == tables[1]
    assert [clip.clip_id for clip in tables[0] if clip.split == "test"] == NAMES[-2:], "the last in sorted order"
    expected, _ = soundfile.read(folder / "wav" / f"{NAMES[0]}.wav", dtype="float32")
    np.testing.assert_array_equal(np.load(tmp_path / "one" / "clips.npy")[0], expected[:16384])
    assert json.loads((tmp_path / "one" / "dataset_summary.json").read_text())["recordings"] == 10
    soundfile.write(folder / "wav" / f"{NAMES[0]}.wav", expected, 22050)
    with pytest.raises(UserError, match="has 22050 Hz, expected 16000 Hz"):
        prepare_clips(
            folder, settings, sample_rate=16000, clip_samples=16384, seed=0, processes=1, **outputs,
            summary=out / "dataset_summary.json",
        )  # fmt: skip


def test_the_program_makes_the_folder_of_its_metadata(archive, tmp_path):
    metadata = tmp_path / "data" / "cmu_us_slt_arctic" / "metadata.csv"
    release = release_of(archive)
    command = [sys.executable, PROGRAM, "--voice", "slt", "--url", release.url, "--sha256", release.sha256]
    subprocess.run([*command, "--archive", archive, "--output", metadata], check=True, capture_output=True)
    assert len(list((metadata.parent / "wav").glob("*.wav"))) == 10
    command[-1] = "0" * 64
    refused = subprocess.run([*command, "--archive", archive, "--output", metadata], capture_output=True, text=True)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("error: ")
