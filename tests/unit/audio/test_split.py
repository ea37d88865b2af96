import math
import random
from collections import Counter
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocoder_pareto.audio.corpora import SourceFile, name_files
from vocoder_pareto.audio.split import chosen_test_set, listed, random_share, size_of_test_set, split_name, tail
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.dataset import DatasetSettings, ListedTestSet

NAMES = st.lists(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join), min_size=2, max_size=60, unique=True
)


def files_of(*names):
    return name_files(sorted(names))


def folders_of(file):
    return [folder.as_posix() for folder in PurePosixPath(file.name).parents]


@given(clips=st.integers(2, 20000), share=st.floats(0.001, 0.999))
def test_both_splits_have_clips_and_the_share_is_kept(clips, share):
    test = size_of_test_set(clips, share)
    assert 1 <= test <= clips - 1
    assert abs(test - clips * share) <= 1


def test_the_test_set_of_ljspeech_is_a_fifth():
    assert size_of_test_set(13100, 0.2) == 2620


@pytest.mark.parametrize(
    ("source", "split", "name"),
    [
        ("synthetic", None, "tail"),
        ("ljspeech", None, "tail"),
        ("folder", None, "random"),
        ("folder", "tail", "tail"),
        ("ljspeech", "random", "random"),
        ("folder", ListedTestSet("list.txt"), "list"),
    ],
)
def test_a_folder_is_split_at_random_and_ljspeech_at_its_tail_unless_told(source, split, name):
    assert split_name(DatasetSettings(source, split=split)) == name


def test_the_tail_is_the_last_in_sorted_order():
    files = files_of(*(f"{number:04d}.wav" for number in range(10)))
    assert [file.name for file in tail(files, 0.2)] == ["0008.wav", "0009.wav"]


@given(names=NAMES, share=st.floats(0.01, 0.99), seed=st.integers(0, 2**63 - 1))
def test_every_folder_at_any_depth_gives_its_share_to_within_one_clip(names, share, seed):
    """The bound of systematic sampling: of L files in a row, the floor or the ceiling of L · size / count are taken."""
    files = files_of(*(f"{name}.wav" for name in names))
    chosen = random_share(files, share, seed)
    size = size_of_test_set(len(files), share)
    assert len(set(chosen)) == len(chosen) == size
    assert set(chosen) <= set(files)
    members = Counter(folder for file in files for folder in folders_of(file))
    taken = Counter(folder for file in chosen for folder in folders_of(file))
    for folder, count in members.items():
        assert math.floor(count * size / len(files)) <= taken[folder] <= math.ceil(count * size / len(files)), folder


@given(names=NAMES, seed=st.integers(0, 2**63 - 1))
def test_a_random_split_depends_on_names_and_seed_alone(names, seed):
    files = files_of(*(f"{name}.wav" for name in names))
    shuffled = random.Random(0).sample(files, len(files))
    assert random_share(files, 0.2, seed) == random_share(shuffled, 0.2, seed)


def test_a_random_split_is_the_same_on_every_machine():
    files = files_of(*(f"{folder}/{number}.wav" for folder in "ab" for number in range(5)))
    assert [file.name for file in random_share(files, 0.3, 7)] == ["a/3.wav", "b/4.wav", "a/0.wav"]
    assert {tuple(random_share(files, 0.3, seed)) for seed in range(20)} > {tuple(random_share(files, 0.3, 7))}


@pytest.mark.parametrize("folders", [1, 4, 40])
def test_every_recording_has_the_same_chance(folders):
    """The truth is the share itself; 400 seeds give a binomial count, which five standard deviations bound."""
    files = files_of(*(f"{number % folders}/{number}.wav" for number in range(40)))
    counts = Counter(file for seed in range(400) for file in random_share(files, 0.2, seed))
    deviation = 5 * math.sqrt(400 * 0.2 * 0.8)
    assert all(abs(counts[file] - 80) < deviation for file in files)


def test_the_first_of_a_random_test_set_are_a_sample_of_it():
    """`generation.clips` takes the first: of ten speakers, ten clips must not be those of one or two."""
    files = files_of(*(f"speaker{speaker}/{number:03d}.wav" for speaker in range(10) for number in range(100)))
    speakers = [len({file.name[:8] for file in random_share(files, 0.2, seed)[:10]}) for seed in range(50)]
    expected = 10 * (1 - (1 - 1 / 10) ** 10)  # of ten draws with replacement: 6.5 of 10
    assert sum(speakers) / 50 > expected - 0.5


def test_spoken_digits_are_all_in_the_test_set():
    names = [f"{digit}_{speaker}_{take}.wav" for digit in range(10) for speaker in "abcdef" for take in range(50)]
    assert {file.name[0] for file in tail(files_of(*names), 0.2)} == {"8", "9"}
    assert {file.name[0] for file in random_share(files_of(*names), 0.2, 0)} == set("0123456789")


FILES = [SourceFile("a__one", "a/one.wav"), SourceFile("b__two", "b/two.flac"), SourceFile("c_3", "c 3.wav")]


@pytest.mark.parametrize(
    "text",
    [
        b"a/one.wav\nc 3.wav\n",
        b"\xef\xbb\xbfa__one\r\nc_3\r\n\r\n",
        "c_3|what was said, with a\u2028line and a\x0cpage|and so on\na__one|…".encode(),
        b"  c 3.wav  \na/one.wav\na/one.wav",
    ],
)
def test_a_list_names_files_or_clips_in_any_spelling(tmp_path, text):
    (tmp_path / "list.txt").write_bytes(text)
    assert [file.clip_id for file in listed(FILES, tmp_path / "list.txt")] == ["a__one", "c_3"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"a__one\nnobody.wav\n", r"list\.txt, line 2: 'nobody\.wav' is none of the 3 recordings in use"),
        (b"\n \n", r"list\.txt: names no recording; name the test set"),
        (b"\xff\xfea\0", r"config key dataset\.split: .*list\.txt cannot be read as UTF-8"),
        (None, r"config key dataset\.split: .*list\.txt cannot be read .*No such file"),
    ],
)
def test_a_list_that_does_not_fit_is_told_with_its_line(tmp_path, text, fault):
    if text is not None:
        (tmp_path / "list.txt").write_bytes(text)
    with pytest.raises(UserError, match=fault):
        listed(FILES, tmp_path / "list.txt")


@pytest.mark.parametrize(
    ("usable", "fault"),
    [(FILES, None), (FILES[1:], None), (FILES[:1] + FILES[2:], "all usable"), (FILES[1:2], "no usable recording")],
)
def test_a_listed_recording_that_is_bad_is_left_out_and_both_splits_keep_clips(tmp_path, usable, fault):
    (tmp_path / "list.txt").write_text("a__one\nc_3\n")
    settings = DatasetSettings("folder", split=ListedTestSet(str(tmp_path / "list.txt")))
    if fault:
        with pytest.raises(UserError, match=fault):
            chosen_test_set(FILES, usable, settings, None, 0)
    else:
        chosen = chosen_test_set(FILES, usable, settings, None, 0)
        assert chosen == [file for file in usable if file.clip_id != "b__two"]
