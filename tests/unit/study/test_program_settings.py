"""What programs get is shown by a command, so that nobody writes it by hand."""

import json
import subprocess
import sys
from pathlib import Path

from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.settings import plain, settings_from
from vocoder_pareto.study.studied_systems import system_settings
from vocoder_pareto.study.systems import SystemSettings, system_sampled

PROJECT = Path(__file__).resolve().parents[3]


def show_settings(*arguments):
    command = [sys.executable, PROJECT / "workflow_scripts" / "show_settings.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_settings_of_a_system_are_shown_as_a_program_takes_them():
    shown = show_settings("--system-name", "hifigan-L", "--part", "system")
    assert shown.returncode == 0, shown.stderr
    config = read_configuration([PROJECT / "config.yaml"])
    system = system_settings(config, "hifigan", "L")
    assert settings_from(SystemSettings, json.loads(shown.stdout), "models") == system


def test_a_system_is_sampled_as_its_settings_say_and_as_a_program_is_told():
    """What trains gets system and sampling apart, since the weights depend on one of them alone."""
    config = read_configuration([PROJECT / "config.yaml"])
    system = system_settings(config, "wavegrad", "S")
    assert system_sampled(system.to_train(), {"steps": 4}).sampling == {"steps": 4}
    assert system_sampled({**system.to_train(), "sampling": {"steps": 9, "seed": 1}}, {"steps": 4}).sampling == {
        "steps": 4, "seed": 1,
    }  # fmt: skip
    assert system_sampled(system.to_train(), system.sampling) == system


def test_all_parts_are_shown_with_the_changes_of_a_preset(tmp_path):
    training = "{steps: null, hours: 3, learning_rate: 1e-3}"
    (tmp_path / "mine.yaml").write_text(f"models: {{melgan: {{sizes: {{S: {{training: {training}}}}}}}}}\n")
    shown = show_settings("--config-files", tmp_path / "mine.yaml", "--system-name", "melgan-S")
    parts = json.loads(shown.stdout)
    assert parts["training-settings"]["hours"] == 3.0
    assert parts["system"]["recipe"]["learning_rate"] == 1e-3
    assert parts["energy-settings"] == read_configuration([PROJECT / "config.yaml"])["energy"]


def test_an_unknown_system_and_an_unknown_part_are_named():
    unknown = show_settings("--system-name", "hifigan-XL")
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("error: --system-name: 'hifigan-XL' is not a system (did you mean 'hifigan-L'?)")
    assert (
        "error: --part: 'sistem' is not a part; allowed: system"
        in show_settings("--system-name", "hifigan-L", "--part", "sistem").stderr
    )


def test_settings_survive_the_way_to_a_program_and_back():
    config = read_configuration([PROJECT / "config.yaml"])
    for size in "SML":
        system = system_settings(config, "wavegrad", size)
        assert settings_from(SystemSettings, json.loads(json.dumps(plain(system))), "models") == system
