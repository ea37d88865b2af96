"""What is given to the Python interface: what is reasonable is taken, all else refused in a line that names it."""

import math
import sys
import threading

import numpy as np
import pandas as pd
import pytest
import torch

from vocoder_pareto.analysis.front_of_table import front_of_frame, write_front
from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.energy_meter import EnergyMeter
from vocoder_pareto.measurement.of_callable import measure
from vocoder_pareto.measurement.own_process import in_own_process
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings, SystematicUncertainty

MEL = torch.zeros(1, 80, 4)
SHORT = {"idle_seconds": 0, "windows": 1, "min_window_seconds": 0.01, "lead_in_seconds": 0, "max_warmup_seconds": 0,
         "max_retries": 0}  # fmt: skip
FRAME = pd.DataFrame({"model": ["a", "b"], "joules": [1.0, 2.0], "mos": [2.0, 3.0]})


def audio(mel):
    return torch.zeros(len(mel), 256 * mel.shape[2])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": "vocos"}, "model: 'vocos' is not allowed; give a function or a network"),
        ({"mels": None}, "mels: NoneType None is not allowed; give a tensor or an array of numbers"),
        ({"mels": "mel.npy"}, "mels: str 'mel.npy' is not allowed"),
        ({"mels": [MEL, "x"]}, "mels: str 'x' is not allowed"),
        ({"mels": np.array(["x"])}, "mels: an array of <U1 is not allowed"),
        ({"mels": []}, "mels: [] is not allowed; give at least one input"),
        ({"sample_rate": "22050"}, "sample_rate: '22050' is not allowed; give a whole number, at least 1"),
        ({"sample_rate": None}, "sample_rate: None is not allowed"),
        ({"sample_rate": True}, "sample_rate: True is not allowed"),
        ({"sample_rate": math.nan}, "sample_rate: nan is not allowed"),
        ({"sample_rate": math.inf}, "sample_rate: inf is not allowed"),
        ({"sample_rate": 22050.5}, "sample_rate: 22050.5 is not allowed; give a whole number"),
        ({"sample_rate": 0}, "sample_rate: 0 is not allowed; must be at least 1"),
        ({"seed": -1}, "seed: -1 is not allowed; must be at least 0"),
        ({"seed": "0"}, "seed: '0' is not allowed"),
        ({"device": None}, "device: None is not allowed; allowed: auto | cpu | cuda | cuda:N"),
        ({"device": torch.device("meta")}, "device: 'meta' is not allowed; allowed: auto | cpu | cuda | cuda:N"),
        ({"settings": "full"}, "settings: 'full' is not allowed; give EnergySettings(…), or a dict of its keys"),
        ({"settings": MeterSettings()}, "settings: MeterSettings("),
        ({"settings": {"windows": 0, "zeal": 1}}, "settings.zeal: unknown; allowed here: clips"),
        ({"settings": {"windows": 0}}, "settings.windows: 0 is not allowed; must be at least 1"),
        ({"meter": {"backend": "watts"}}, "meter.backend: 'watts' is not allowed; allowed: pyjoules | zeus | auto"),
    ],
)
def test_a_wrong_argument_of_measure_is_named_with_its_value_and_what_is_allowed(arguments, words):
    with pytest.raises(UserError) as told:
        measure(**{"model": audio, "mels": MEL, "sample_rate": 16000, "device": "cpu", **arguments})
    assert words in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("construct", "words"),
    [
        (lambda: MeterSettings(cpu_watts_per_core=-5), "MeterSettings: cpu_watts_per_core: -5 is not allowed; must be"),
        (lambda: MeterSettings("watts"), "MeterSettings: backend: 'watts' is not allowed; allowed: "),
        (lambda: MeterSettings(cpu_watts_per_core=math.nan), "nan is not allowed; must be a finite number"),
        (lambda: MeterSettings(watts=3), "MeterSettings: watts: unknown"),
        (lambda: SystematicUncertainty(nvml=-1), "SystematicUncertainty: nvml: -1 is not allowed; must be at least 0"),
        (lambda: EnergySettings(windows="3"), "EnergySettings: windows: '3' is not allowed; expected integer"),
        (lambda: EnergyMeter("cpu", "pyjoules"), "settings: 'pyjoules' is not allowed; give MeterSettings(…)"),
        (lambda: EnergyMeter("gpu"), "device: 'gpu' is not allowed"),
    ],
)  # fmt: skip
def test_settings_that_people_construct_refuse_a_value_in_one_line(construct, words):
    with pytest.raises(UserError) as told:
        construct()
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_arrays_devices_and_dicts_of_settings_are_taken_as_they_are_meant(without_rapl):
    """The network computes in single precision alone, and NumPy's zeros are of double precision."""
    network = torch.nn.ConvTranspose1d(80, 1, 256, 256)
    mels = [np.zeros((1, 80, 4)), MEL]
    found = measure(
        network, mels, np.int64(16000), torch.device("cpu"), settings=SHORT, meter={"cpu_watts_per_core": 8.0}
    )
    assert found.record["meter"]["domains"]["cpu_time"]["joules_per_unit"] == 8.0
    assert found.joules_per_audio_second > 0
    assert found.gflops_per_audio_second == pytest.approx(2 * 80 * 16000 * 1e-9)
    assert found.flops_unknown is None
    with EnergyMeter(torch.device("cpu"), {}) as window:
        pass
    assert window.source == "estimated"


def test_a_function_in_numpy_has_joules_and_no_flops_with_the_reason(without_rapl):
    found = measure(lambda mel: torch.from_numpy(np.ones((1, 1024))), MEL, 16000, "cpu", settings=SHORT)
    assert found.joules_per_audio_second is not None
    assert found.gflops_per_audio_second is None
    assert "outside of PyTorch, as by NumPy" in found.flops_unknown


def test_audio_of_another_length_at_a_later_call_is_told(without_rapl):
    lengths = iter([1024] * 3 + [10] * 1000)
    words = r"gave \(1, 1024\) for an input \(1, 80, 4\), and at a later call \(1, 10\) of torch.float32"
    with pytest.raises(UserError, match=words):
        measure(lambda mel: torch.zeros(1, next(lengths)), MEL, 16000, "cpu", settings=SHORT)


def test_a_model_that_ends_the_process_is_told(without_rapl):
    with pytest.raises(UserError, match=r"the model calls sys\.exit\(3\), which would end everything; take it out"):
        measure(lambda mel: sys.exit(3), MEL, 16000, "cpu")
    with pytest.raises(UserError, match=r"code that is measured calls sys\.exit\(0\)"):
        in_own_process(sys.exit, 0)


def test_leaving_a_meter_that_was_not_entered_is_told(without_rapl):
    with pytest.raises(UserError, match="no block is open"):
        EnergyMeter("cpu").__exit__(None, None, None)
    assert threading.active_count() >= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"frame": {"joules": [1.0]}}, "frame: a dict is not allowed; give a pandas.DataFrame"),
        ({"frame": FRAME["mos"]}, "frame: a Series is not allowed; give a pandas.DataFrame"),
        ({"frame": FRAME.assign(mos=[[], [1.0, 2.0]])}, "the DataFrame, line 1, column 'mos': '[]' is no number"),
        ({"frame": FRAME.assign(mos=[np.ones(2), 1.0])}, "the DataFrame, line 1, column 'mos': '[1. 1.]' is no number"),
        ({"draws": "many"}, "draws: 'many' is not allowed; give a whole number, at least 1"),
        ({"draws": 10.5}, "draws: 10.5 is not allowed"),
        ({"seed": -1}, "seed: -1 is not allowed; must be at least 0"),
        ({"minimise": ["joules", "mos"]}, "name two or three different columns"),
        ({"minimise": "watts"}, "column 'watts' is missing"),
    ],
)
def test_a_wrong_argument_of_a_front_is_named(arguments, words):
    with pytest.raises(UserError) as told:
        front_of_frame(**{"frame": FRAME, "minimise": "joules", "maximise": "mos", "draws": 10, **arguments})
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_columns_named_by_numbers_and_lists_beside_the_objectives_are_taken(tmp_path):
    frame = pd.DataFrame({0: ["a", "b"], 1: [1.0, 2.0], 2: [2.0, 3.0], 3: [0.1, 0.1], "notes": [["x"], []]})
    front = front_of_frame(frame, [1], [2], name=0, intervals={2: 3}, exact=[1], draws=np.int64(10))
    assert front.summary["front"] == ["a", "b"]
    assert front.summary["is_uncertain"]
    with pytest.raises(UserError, match=r"settings\.width_inches: -1 is not allowed"):
        write_front(front, tmp_path, ["png"], {"width_inches": -1})
    assert list(tmp_path.iterdir()) == []
