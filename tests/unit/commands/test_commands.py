"""The command `vocoder-pareto`: what it says of itself, its flags, and that wrong input ends in one line."""

import argparse
import json
import os
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from seeds import seed_of

from vocoder_pareto.commands import init, main
from vocoder_pareto.commands.extras import needs
from vocoder_pareto.commands.init import COPIED, make_study
from vocoder_pareto.errors import UserError

PROJECT = Path(__file__).parents[3]
TABLE = "name,joules,mos\na,1,2\nb,2,4\nc,3,3\n"


def run(*words: object) -> None:
    arguments = main.parser().parse_args([str(word) for word in words])
    arguments.run(arguments)


@pytest.mark.parametrize("name", main.COMMANDS)
def test_help_describes_every_command_and_each_of_its_flags(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main.parser().parse_args([name, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert f"vocoder-pareto {name}" in said
    (commands,) = (action for action in main.parser()._actions if isinstance(action, argparse._SubParsersAction))
    assert all(action.help for action in commands.choices[name]._actions)
    assert {choice.dest for choice in commands._choices_actions} == set(main.COMMANDS)


def test_front_finds_the_front_of_a_table(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("table.csv").write_text(TABLE)
    run("front", "table.csv", "--minimise", "joules", "--maximise", "mos", "--draws", 10, "--formats", "png")
    assert capsys.readouterr().out.startswith("Pareto optimal, 2 of 3:\n  a\n  b\n")
    assert json.loads(Path("front/front.json").read_text())["front"] == ["a", "b"]
    with pytest.raises(UserError, match="name two or three different columns"):
        run("front", "table.csv", "--minimise", "joules")


def test_front_writes_all_of_its_files_or_none(tmp_path, monkeypatch):
    """A folder stands where the last file is to be."""
    monkeypatch.chdir(tmp_path)
    Path("table.csv").write_text(TABLE)
    Path("front/front.md").mkdir(parents=True)
    with pytest.raises(UserError, match=r"front/front\.md: is a folder"):
        run("front", "table.csv", "--minimise", "joules", "--maximise", "mos", "--draws", 10, "--formats", "png")
    assert [path.name for path in Path("front").iterdir()] == ["front.md"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seed", 0, "--seed", 1], "argument --seed: stands twice; give it once"),
        (["--name", "name", "--name", "joules"], "argument --name: stands twice; give it once"),
        (["--formats", "png", "svg/../../x"], "invalid choice: 'svg/../../x'"),
    ],
)
def test_an_option_that_stands_twice_or_names_a_path_for_a_format_is_refused(words, message, capsys):
    objectives = ["--minimise", "joules", "--maximise", "mos"]
    for _ in range(2):  # a parser remembers nothing of what it read before
        main.parser().parse_args(["front", "table.csv", *objectives, *map(str, words[:2] if "seed" in message else [])])
    with pytest.raises(SystemExit) as ended:
        run("front", "table.csv", *objectives, *words)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_an_objective_has_one_interval(tmp_path):
    (tmp_path / "table.csv").write_text(TABLE)
    twice = ["--interval", "mos", "a", "--interval", "mos", "b"]
    with pytest.raises(UserError, match=r"--interval mos b: mos has a already; name one"):
        run("front", tmp_path / "table.csv", "--minimise", "joules", "--maximise", "mos", *twice)


def test_init_makes_a_study_and_overwrites_nothing(tmp_path, capsys):
    run("init", tmp_path / "study")
    assert "cd " in capsys.readouterr().out
    for name in COPIED:
        assert (tmp_path / "study" / name).exists(), name
    compile((tmp_path / "study/Snakefile").read_text().partition("\n\n\n")[0], "Snakefile", "exec")
    with pytest.raises(UserError, match=r"study/Snakefile: is there already, and is not overwritten"):
        make_study(tmp_path / "study")


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_init_on_a_file_asks_for_a_folder(name, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file: is a file, and the study needs a folder; name another"):
        make_study(tmp_path / name)


def test_init_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    """The disk is full at the second of the things that are copied."""

    def refuse(source, target, **_):
        Path(target).mkdir(parents=True)
        raise OSError(28, "No space left on device")

    (tmp_path / "study").mkdir()
    (tmp_path / "study/notes.md").touch()
    monkeypatch.setattr(init.shutil, "copytree", refuse)
    with pytest.raises(UserError, match=r"study/presets: cannot be written \(No space left on device\)"):
        make_study(tmp_path / "study")
    assert [path.name for path in (tmp_path / "study").iterdir()] == ["notes.md"]


def test_the_study_of_init_says_what_it_is():
    text = init.README.format(version="1.2.3")
    for name in ("config.yaml", "presets/", "profiles/default/", "resources/measured/", "Snakefile"):
        assert f"`{name}`" in text


def test_a_command_without_its_packages_names_the_extra():
    with pytest.raises(UserError, match=r'nosuch is not.*pip install "vocoder-pareto\[measure\]"'), needs("measure"):
        import nosuch.part  # noqa: F401
    with pytest.raises(ModuleNotFoundError), needs("measure"):  # a fault of ours, which keeps its traceback
        import vocoder_pareto.nosuch  # noqa: F401


@pytest.mark.parametrize(("bands", "message"), [(80, "boom"), (100, "fails on mel-spectrograms of 80 bands")])
def test_a_network_that_fails_ends_in_one_line(bands, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("network.py").write_text(
        "from torch import nn\n\n\nclass Network(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        f"        self.layer = nn.ConvTranspose1d({bands}, 1, 256, 256)\n"
        + ("        raise OSError('boom')\n" if bands == 80 else "")
        + "\n    def forward(self, mel):\n        return self.layer(mel)\n"
    )
    with pytest.raises(UserError, match=message) as told:
        run("measure", "network.py:Network", "--device", "cpu", "--set-folders")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check"], "name what is checked: either path/to/file.py:Class"),
        (["check", "gone.py:Vocoder"], r"gone\.py"),
        (["check", "a.py:B", "--front-end", "papre"], r"'papre' is none \(did you mean paper\?\)|papre"),
        (["measure", "gone.py:Vocoder", "--set-folders", "nowhere"], "nowhere: holds no record"),
        (["measure", "a.py:B", "--front-end", "papre", "--set-folders"], "papre"),
        (["measure", "a.py:B", "--set-folders", "--output", "file/measured"], "file/measured: cannot be made"),
        (["predict-mos", "nowhere", "--recordings", "nowhere"], "nowhere: no such folder"),
        (["predict-mos", ".", "--seed", "-1"], "--seed -1: must be 0 or more"),
        (["predict-mos", "."], "holds no audio that can be read"),
        (["front", "gone.csv", "--minimise", "a", "b"], r"gone\.csv"),
    ],
)  # fmt: skip
def test_wrong_input_ends_in_one_line(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(UserError, match=message) as told:
        run(*words)
    assert "\n" not in str(told.value)


def test_the_shell_completes_commands_and_flags(tmp_path):
    """As argcomplete's own script of the shell asks: by variables, with the answer on descriptor 8."""
    pytest.importorskip("argcomplete")
    command = tmp_path / "vocoder-pareto"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m vocoder_pareto.commands.main "$@"\n')
    command.chmod(0o755)

    def completed(line: str) -> list[str]:
        variables = {
            **os.environ, "PYTHONPATH": str(PROJECT / "workflow_scripts"), "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_IFS": "\n", "COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9",
        }  # fmt: skip
        words = ["sh", "-c", f"{shlex.quote(str(command))} 8>&1 9>/dev/null"]
        said = subprocess.run(words, env=variables, capture_output=True, text=True).stdout
        return [word.strip() for word in said.splitlines()]

    assert completed("vocoder-pareto me") == ["measure"]
    assert "--protocol" in completed("vocoder-pareto measure --p")
    assert completed("vocoder-pareto measure a.py:B --protocol f") == ["full"]


@pytest.fixture
def audio(tmp_path) -> Path:
    """Two files of noise at 8 kHz, eight seconds each, and one of another kind."""
    folder = tmp_path / "audio"
    folder.mkdir()
    source = np.random.default_rng(seed_of(1))
    for name in ("a.wav", "b.flac"):
        soundfile.write(folder / name, source.uniform(-0.3, 0.3, 8 * 8000), 8000)
    (folder / "notes.txt").touch()
    return folder


def test_the_predicted_mos_of_a_folder_is_the_mean_of_its_passages(audio, tmp_path):
    """A predictor that hears how long a passage is at 16 kHz: eight seconds each."""
    from vocoder_pareto.quality.folder_mos import predict_folder

    found = predict_folder(audio, None, 0, tmp_path / "mos.json", lambda: lambda samples: len(samples) / 16000 / 2)
    assert found["predicted_mos"] == pytest.approx(4.0)
    assert [passage["clips"] for passage in found["passages"]] == [["a"], ["b"]]
    assert found["trial"] is None
    assert json.loads((tmp_path / "mos.json").read_text())["predicted_mos"] == pytest.approx(4.0)


def test_a_predictor_that_fails_its_trial_on_the_recordings_predicts_nothing(audio, tmp_path, monkeypatch):
    """On one ladder of one step, since the real ones take seconds."""
    from vocoder_pareto.quality import folder_mos
    from vocoder_pareto.quality.ladders import Ladder, with_noise

    ladders = [Ladder("noise", [("0 dB", with_noise(0))])]
    monkeypatch.setattr(folder_mos, "try_predictor", partial(folder_mos.try_predictor, ladders=ladders))
    found = folder_mos.predict_folder(audio, audio, 0, tmp_path / "mos.json", lambda: lambda samples: 2.0)
    assert found["predicted_mos"] is None
    assert "the recordings score 2.00" in found["withheld"]


def test_tables_that_are_written_are_read_back(tmp_path):
    """The front of a DataFrame is that of the file that pandas writes of it."""
    from vocoder_pareto import front_of_frame

    frame = pd.DataFrame({"name": ["a", "b", "c", "d"], "joules": [1.5, 2.5, 3.5, None], "mos": [2, 4, 3, 5]})
    found = front_of_frame(frame, ["joules"], ["mos"], draws=10)
    assert found.summary["front"] == ["a", "b"]
    assert found.summary["left_out"] == {"d": ["joules"]}
    with pytest.raises(UserError, match="the DataFrame, line 2, column 'joules': 'two' is no number"):
        front_of_frame(pd.DataFrame({"joules": [1, "two"], "mos": [1, 2]}), ["joules"], ["mos"])
    with pytest.raises(UserError, match="columns have the name of another, such as 'mos'"):
        front_of_frame(pd.DataFrame([[1, 2]], columns=["mos", "mos"]), ["mos"], ["mos"])
