import hashlib
import subprocess
import sys
from pathlib import Path

import espeakng_loader
import pytest
import soundfile

from vocoder_pareto.audio.corpora import list_corpus
from vocoder_pareto.audio.espeak import synthesize_speech
from vocoder_pareto.audio.synthetic_corpus import plan_utterances, read_sentences, synthesize_corpus
from vocoder_pareto.errors import UserError

PROJECT = Path(__file__).parents[3]
SENTENCES = read_sentences(PROJECT / "resources" / "sentences.txt")


def digests(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.rglob("[!.]*.*")}


def test_there_are_enough_sentences_of_all_lengths():
    lengths = {len(sentence.split()) for sentence in SENTENCES}
    assert len(SENTENCES) >= 320
    assert min(lengths) == 3
    assert {4, 6, 8, 10, 12, 15, 18, 22, 24} <= lengths <= set(range(3, 26))


def test_the_corpus_has_the_layout_of_ljspeech(tmp_path):
    synthesize_corpus(SENTENCES, 20, ["en-us"], tmp_path / "metadata.csv")
    lines = (tmp_path / "metadata.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"synthetic-00001|{SENTENCES[0]}|{SENTENCES[0]}"
    assert len(lines) == len(list((tmp_path / "wavs").iterdir())) == len(list_corpus("synthetic", tmp_path)) == 20
    for line in lines:
        header = soundfile.info(tmp_path / "wavs" / f"{line.partition('|')[0]}.wav")
        assert (header.samplerate, header.channels, header.subtype) == (22050, 1, "PCM_16")
        assert header.duration > 0.5


def test_the_corpus_is_the_same_bytes_in_another_process_and_in_several(tmp_path):
    voices = ["en-us", "en-gb-x-rp", "en-us+f4"]
    synthesize_corpus(SENTENCES, 80, voices, tmp_path / "here" / "metadata.csv")
    program = PROJECT / "workflow_scripts" / "synthesize_corpus.py"
    sentences = PROJECT / "resources" / "sentences.txt"
    command = [sys.executable, program, "--sentences", sentences, "--max-clips", "80", "--processes", "2"]
    command += ["--voices", "en-us", "en-gb-x-rp", "en-us+f4", "--output", tmp_path / "there" / "metadata.csv"]
    subprocess.run(command, check=True, capture_output=True)
    assert digests(tmp_path / "here") == digests(tmp_path / "there")
    assert len(digests(tmp_path / "here")) == 81


def test_an_utterance_does_not_depend_on_those_before_it():
    first = synthesize_speech("The kettle is singing.")
    synthesize_speech("Something else, in between!", "en-gb-x-rp", 200, 30)
    assert synthesize_speech("The kettle is singing.") == first


def test_every_clip_of_the_largest_corpus_is_said_in_its_own_way():
    utterances = plan_utterances(SENTENCES, 13100, ["en-us"])
    beginnings = {(item.text.partition(".")[0], item.words_per_minute, item.pitch) for item in utterances}
    assert len({item.clip_id for item in utterances}) == len(beginnings) == 13100
    assert plan_utterances(SENTENCES, None, ["en-us"]) == utterances


def test_a_small_corpus_is_the_beginning_of_a_large_one():
    large = plan_utterances(SENTENCES, 1000, ["en-us", "en"])
    assert large[:400] == plan_utterances(SENTENCES, 400, ["en-us", "en"])


def test_speed_and_pitch_are_heard():
    sentence = "The kettle is singing."
    slow, fast = (len(synthesize_speech(sentence, words_per_minute=speed)) for speed in (145, 205))
    assert slow > 1.2 * fast
    assert synthesize_speech(sentence, pitch=36) != synthesize_speech(sentence, pitch=64)


def test_voices_take_turns(tmp_path):
    synthesize_corpus(SENTENCES, 20, ["en-us", "en-us+m3"], tmp_path / "both" / "metadata.csv")
    synthesize_corpus(SENTENCES, 20, ["en-us"], tmp_path / "one" / "metadata.csv")
    both, one = digests(tmp_path / "both" / "wavs"), digests(tmp_path / "one" / "wavs")
    equal = [both[name] == one[name] for name in sorted(one)]
    assert equal == [True, False] * 10


@pytest.mark.parametrize("clips", [19, 13101, 0, -1])
def test_a_size_that_is_not_possible_is_named_with_its_bounds(clips):
    with pytest.raises(UserError, match=rf"dataset\.clips: {clips} is not allowed.*20 to 13100"):
        plan_utterances(SENTENCES, clips, ["en-us"])


@pytest.mark.parametrize("voice", ["klingon-x", "en-us+nobody", "en-us+f2"])
def test_a_voice_that_does_not_exist_or_is_not_repeatable_is_named(tmp_path, voice):
    with pytest.raises(UserError, match=r"dataset\.voices.*" + voice.replace("+", r"\+")):
        synthesize_corpus(SENTENCES, 20, [voice], tmp_path / "metadata.csv")
    assert not (tmp_path / "metadata.csv").exists()


def test_an_empty_list_of_voices_is_refused():
    with pytest.raises(UserError, match=r"dataset\.voices: empty"):
        plan_utterances(SENTENCES, 20, [])


def test_a_smaller_corpus_replaces_a_larger_one_and_touches_no_other_file(tmp_path):
    (tmp_path / "wavs").mkdir()
    (tmp_path / "wavs" / "LJ001-0001.wav").write_text("a recording")
    synthesize_corpus(SENTENCES, 25, ["en-us"], tmp_path / "metadata.csv")
    synthesize_corpus(SENTENCES, 20, ["en-us"], tmp_path / "metadata.csv")
    assert len(list((tmp_path / "wavs").glob("synthetic-*.wav"))) == 20
    assert (tmp_path / "wavs" / "LJ001-0001.wav").read_text() == "a recording"


@pytest.mark.parametrize(
    ("content", "fault"),
    [("# nothing\n\n", "holds no sentence"), ("One.\nOne.\n", "'One.' twice"), ("A|b\n", "remove it")],
)
def test_a_bad_file_of_sentences_is_named(tmp_path, content, fault):
    (tmp_path / "s.txt").write_text(content)
    with pytest.raises(UserError, match=rf"s\.txt: .*{fault}"):
        read_sentences(tmp_path / "s.txt")


@pytest.fixture
def deep_data(tmp_path, monkeypatch):
    """The data of eSpeak NG behind a path of 170 bytes."""
    folder = tmp_path / ("x" * (170 - len(f"{tmp_path}//espeak-ng-data")))
    folder.mkdir()
    data = folder / "espeak-ng-data"
    data.symlink_to(espeakng_loader.get_data_path())
    monkeypatch.setattr(espeakng_loader, "get_data_path", lambda: str(data))
    return data


def test_a_path_that_is_too_long_for_espeak_is_taken_from_the_working_folder(deep_data, monkeypatch):
    monkeypatch.chdir(deep_data.parents[1])
    assert synthesize_speech("Yes.")


def test_a_path_that_is_too_long_from_everywhere_is_named(deep_data, monkeypatch):
    monkeypatch.chdir("/")
    with pytest.raises(UserError, match="no path of more than 159 bytes"):
        synthesize_speech("Yes.")
