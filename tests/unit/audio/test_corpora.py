import csv
import io
import os
import subprocess
import sys

import pytest

from vocoder_pareto.audio.corpora import list_corpus, name_files
from vocoder_pareto.audio.corpus_location import audio_files_below, corpus_files, locate_corpus
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.file_content import FileDigests
from vocoder_pareto.study.program_settings import dataset_settings
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.settings import settings_from


def make_files(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def test_ljspeech_is_what_its_metadata_lists_in_sorted_order(ljspeech_folder):
    lines = (ljspeech_folder / "metadata.csv").read_text().splitlines(keepends=True)
    (ljspeech_folder / "metadata.csv").write_text("".join(reversed(lines)))
    (ljspeech_folder / "wavs" / "not_listed.wav").write_text("")
    files = list_corpus("ljspeech", ljspeech_folder)
    assert [file.clip_id for file in files] == [f"LJ001-{number:04d}" for number in range(1, 11)]
    assert files[0].name == "wavs/LJ001-0001.wav"
    assert list_corpus("ljspeech", ljspeech_folder, 3) == files[:3]


def test_a_folder_is_all_its_audio_files_but_hidden_ones(tmp_path):
    make_files(tmp_path, "b.wav", "a/2.FLAC", "a/1.Wav", ".hidden.wav", "a/._1.wav", ".git/x.wav", "notes.txt", "c.m4a")
    assert audio_files_below(tmp_path) == ["a/1.Wav", "a/2.FLAC", "b.wav"]
    assert [file.clip_id for file in list_corpus("folder", tmp_path)] == ["a__1", "a__2", "b"]


def test_linked_folders_are_followed_once(tmp_path):
    make_files(tmp_path, "real/a.wav")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "wavs").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "circle").symlink_to(tmp_path / "corpus")
    assert audio_files_below(tmp_path / "corpus") == ["wavs/a.wav"]


def test_identifiers_are_unique_and_usable_as_file_names():
    names = ["a b.wav", "a b.flac", "a_b.wav", "a_b-2.wav", "a/b.wav", "Größe?.wav", "x|y,\"z'.wav"]
    clip_ids = [file.clip_id for file in name_files(names)]
    assert clip_ids == ["a_b", "a_b-2", "a_b-3", "a_b-2-2", "a__b", "Größe_", "x_y__z_"]


def test_a_name_that_is_not_utf8_is_refused(tmp_path):
    with open(os.path.join(os.fsencode(tmp_path), b"\xff.wav"), "wb"):
        pass
    with pytest.raises(UserError, match="cannot be written into a table; rename"):
        audio_files_below(tmp_path)


@pytest.mark.parametrize("clip_id", ["../../etc/passwd", "/etc/passwd", "", "a/b", ".hidden", "a\0b"])
def test_metadata_cannot_lead_out_of_the_folder(ljspeech_folder, clip_id):
    with (ljspeech_folder / "metadata.csv").open("a") as file:
        file.write(f"{clip_id}|x|x\n")
    with pytest.raises(UserError, match=r"metadata\.csv, line 11: .* is no identifier"):
        list_corpus("ljspeech", ljspeech_folder)


def test_a_clip_that_metadata_lists_twice_is_named(ljspeech_folder):
    with (ljspeech_folder / "metadata.csv").open("a") as file:
        file.write("LJ001-0003|x|x\n")
    with pytest.raises(UserError, match="lists 'LJ001-0003' twice"):
        list_corpus("ljspeech", ljspeech_folder)


def test_a_folder_without_metadata_is_told_apart_from_ljspeech(tmp_path):
    with pytest.raises(UserError, match=r"metadata\.csv: no such file; .* set dataset\.source: folder"):
        list_corpus("ljspeech", tmp_path)


def test_metadata_that_is_no_text_is_named(ljspeech_folder):
    (ljspeech_folder / "metadata.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"metadata\.csv: cannot be read as UTF-8"):
        list_corpus("ljspeech", ljspeech_folder)


@pytest.mark.parametrize("limit", [0, 1, 11, -3])
def test_more_clips_than_there_are_is_an_error_with_the_bounds(ljspeech_folder, limit):
    with pytest.raises(UserError, match=rf"dataset\.clips: {limit} is not allowed.*2 to 10, or null"):
        list_corpus("ljspeech", ljspeech_folder, limit)


def test_a_folder_with_one_file_is_too_little(tmp_path):
    make_files(tmp_path, "a.wav")
    with pytest.raises(UserError, match="fewer than two recordings"):
        list_corpus("folder", tmp_path)


def test_what_identifies_a_corpus_is_what_its_recordings_hold_and_how_they_are_called(tmp_path):
    digests = FileDigests(tmp_path / "memory.json")

    def digest(name):
        return digests.together(corpus_files(tmp_path / name), tmp_path / name)

    make_files(tmp_path / "one", "a.wav", "b/c.wav", "metadata.csv")
    make_files(tmp_path / "two", "b/c.wav", "a.wav", "metadata.csv", "README", "b/.DS_Store")
    before = digest("one")
    os.utime(tmp_path / "one" / "a.wav", (1, 1))
    assert before == digest("one") == digest("two")
    original = (tmp_path / "one" / "a.wav").read_bytes()
    (tmp_path / "one" / "a.wav").write_bytes(bytes(len(original)) + b"." * (not original))
    assert digest("one") != before
    (tmp_path / "two" / "a.wav").rename(tmp_path / "two" / "d.wav")
    assert digest("two") != before


@pytest.mark.parametrize(
    ("source", "path", "folder", "archive", "made_here"),
    [
        ("synthetic", None, "results/data/synthetic", None, True),
        ("ljspeech", None, "data/LJSpeech-1.1", None, True),
        ("ljspeech", "LJSpeech-1.1.tar.bz2", "data/LJSpeech-1.1", "LJSpeech-1.1.tar.bz2", True),
        ("ljspeech", "mine", "mine", None, False),
        ("folder", "mine", "mine", None, False),
        ("cmu_arctic", None, "data/cmu_us_slt_arctic", None, True),
        ("cmu_arctic", "LJSpeech-1.1.tar.bz2", "data/cmu_us_slt_arctic", "LJSpeech-1.1.tar.bz2", True),
        ("cmu_arctic", "mine", "mine", None, False),
    ],
)
def test_the_corpus_is_found(tmp_path, monkeypatch, source, path, folder, archive, made_here):
    monkeypatch.chdir(tmp_path)
    make_files(tmp_path, "mine/a.wav", "LJSpeech-1.1.tar.bz2")
    corpus = locate_corpus(source, path, "results")
    assert (str(corpus.folder), corpus.made_here) == (folder, made_here)
    assert str(corpus.archive or "") == (archive or "")
    assert corpus.metadata == (f"{folder}/metadata.csv" if made_here else None)


@pytest.mark.parametrize(
    ("source", "path", "fault"),
    [
        ("synthetic", "somewhere", "not allowed with dataset.source synthetic"),
        ("folder", None, "missing; name the folder"),
        ("folder", "nowhere", "does not exist; expected a folder"),
        ("folder", "a.wav", "is no folder; expected a folder"),
        ("ljspeech", "nowhere", "does not exist; expected the folder LJSpeech-1.1, LJSpeech-1.1.tar.bz2, or null"),
        ("cmu_arctic", "nowhere", "expected the folder cmu_us_slt_arctic, cmu_us_slt_arctic.tar.bz2, or null"),
    ],
)
def test_a_path_that_does_not_fit_the_source_is_named(tmp_path, monkeypatch, source, path, fault):
    monkeypatch.chdir(tmp_path)
    make_files(tmp_path, "a.wav")
    with pytest.raises(UserError, match=rf"dataset\.path.*{fault}"):
        locate_corpus(source, path, "results")


def test_a_corpus_that_moved_gives_the_same_settings():
    config = {"dataset": {"source": "folder", "path": "/old", "clips": 5, "voices": ["en-us"]}}
    moved = {"dataset": {**config["dataset"], "path": "/new"}}
    assert dataset_settings(config) == dataset_settings(moved)
    settings = settings_from(DatasetSettings, dataset_settings(config), "dataset")
    assert settings == DatasetSettings("folder", clips=5, voices=("en-us",))


@pytest.mark.parametrize(
    "bad", [{"test_share": 0}, {"test_share": 1.0}, {"clip_seconds": 0}, {"on_bad_clip": "ignore"}]
)
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(UserError, match=rf"config key dataset.*{next(iter(bad))}"):
        settings_from(DatasetSettings, {"source": "folder", **bad}, "dataset")


@pytest.mark.parametrize(
    ("heavy", "modules"),
    [
        (
            ["numpy", "torch", "soundfile"],
            [
                "vocoder_pareto.audio.corpus_location",
                "vocoder_pareto.audio.corpora",
                "vocoder_pareto.audio.split",
                "vocoder_pareto.audio.dataset_summary",
                "vocoder_pareto.study.sections.front_ends",
            ],
        ),
        (["torch", "librosa", "scipy", "pandas"], ["prepare_clips", "synthesize_corpus"]),
        (["torch", "librosa"], ["fetch_ljspeech", "fetch_cmu_arctic", "generate_reference"]),
        (["librosa", "pandas", "lightning"], ["compute_mels", "generate_audio"]),
    ],
)
def test_a_program_does_not_pay_for_imports_that_it_does_not_use(heavy, modules):
    """Of those that share what they do not use, in one process: after each, it is not there yet."""
    code = (
        f"import importlib, sys; sys.path.insert(0, {sys.path[0]!r})\n"
        f"for module in {modules}:\n"
        f"    importlib.import_module(module); print(module, *set({heavy}) & set(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert loaded.stdout.splitlines() == modules


def write_metadata(folder, content):
    (folder / "metadata.csv").write_bytes(content)
    return [file.clip_id for file in list_corpus("ljspeech", folder)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n", b"\r\n\r\n", b"\n  \n", b""])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_metadata_may_have_a_byte_order_mark_any_line_ends_and_a_blank_end(tmp_path, mark, end):
    content = mark + b"LJ001-0001|Said.|Said." + (end[:2] if b"\r" in end else b"\n") + b"LJ001-0002|So.|So." + end
    assert write_metadata(tmp_path, content) == ["LJ001-0001", "LJ001-0002"]


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_what_python_takes_for_line_ends_does_not_split_a_transcript(tmp_path, separator):
    """The reader that the layout is made for is Python's csv module, which ends lines at LF and CRLF."""
    text = f"LJ001-0001|before{separator}after|so\nLJ001-0002|first{separator}|second\n"
    with io.StringIO(text, newline="") as file:
        rows = list(csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE))
    assert write_metadata(tmp_path, text.encode()) == [row[0] for row in rows] == ["LJ001-0001", "LJ001-0002"]


@pytest.mark.parametrize(("letter", "letters", "fits"), [("a", 249, True), ("a", 250, False), ("ä", 125, False)])
def test_a_clip_whose_name_no_file_can_have_is_told_with_its_length(tmp_path, letter, letters, fits):
    """What the file system says: the wav of a clip that fits can be made, one byte more is too long for it."""
    make_files(tmp_path, f"{letter * 100}/{letter * (letters - 100)}.wav", "other.wav")
    clip_id = f"{letter * 100}__{letter * (letters - 100)}"
    assert clip_id in [file.clip_id for file in name_files(audio_files_below(tmp_path))]
    if fits:
        list_corpus("folder", tmp_path)
        (tmp_path / f"{clip_id}.wav").write_text("")
    else:
        with pytest.raises(UserError, match=rf"{letter * 20}…, 252 bytes long, and files are called by clips"):
            list_corpus("folder", tmp_path)
        with pytest.raises(OSError, match="File name too long"):
            (tmp_path / f"{clip_id}.wav").write_text("")


def test_a_long_name_that_is_not_used_is_no_fault(tmp_path):
    make_files(tmp_path, "a.wav", "b.wav", f"{'c' * 200}/{'c' * 100}.wav")
    assert len(list_corpus("folder", tmp_path, 2)) == 2


def test_a_link_to_nowhere_is_a_recording_of_which_there_is_nothing_to_read(tmp_path):
    make_files(tmp_path, "a.wav")
    (tmp_path / "b.wav").symlink_to(tmp_path / "nowhere")  # as git-annex leaves what was not fetched
    assert audio_files_below(tmp_path) == ["a.wav", "b.wav"]
    assert corpus_files(tmp_path) == [tmp_path / "a.wav"]


def test_a_link_to_itself_is_a_link_to_nowhere(tmp_path):
    make_files(tmp_path, "a.wav")
    (tmp_path / "b.wav").symlink_to("b.wav")
    assert audio_files_below(tmp_path) == ["a.wav", "b.wav"]
    assert corpus_files(tmp_path) == [tmp_path / "a.wav"]


def test_a_list_that_moved_gives_the_same_settings():
    config = {"dataset": {"source": "folder", "path": "/old", "split": {"file": "/old/list.txt"}}}
    moved = {"dataset": {"source": "folder", "path": "/new", "split": {"file": "elsewhere/list.txt"}}}
    assert dataset_settings(config) == dataset_settings(moved)


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ({"split": "head"}, r"dataset\.split: 'head' is not allowed; expected tail \| random"),
        ({"split": {"file": "a", "list": "x"}}, r"^config key dataset\.split\.list: unknown; allowed here: file$"),
        ({"split": {}}, r"^config key dataset\.split\.file: missing; give it a value: text$"),
        ({"split": {"file": ""}}, r"dataset\.split\.file: '' is not allowed"),
        ({"channels": "left"}, r"dataset\.channels: 'left' is not allowed; allowed: mix \| first \| error"),
    ],
)
def test_splits_and_channels_that_do_not_exist_are_refused(bad, fault):
    with pytest.raises(UserError, match=fault):
        settings_from(DatasetSettings, {"source": "folder", **bad}, "dataset")


def test_null_on_the_command_line_is_null():
    assert settings_from(DatasetSettings, {"split": "null"}, "dataset").split is None
