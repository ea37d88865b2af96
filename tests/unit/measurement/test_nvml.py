"""NVIDIA GPUs by NVML: which GPU is asked, what its counter counts, and what stands in where it has none."""

import time

import pytest
import torch
from simulated_counters import FakeGpu, FakeNotSupported, FakeNvmlError

from vocoder_pareto.device import resolve_device
from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement import gpu_makers, hardware
from vocoder_pareto.measurement.meter import open_meter
from vocoder_pareto.measurement.sensor import MeterUnavailable
from vocoder_pareto.study.sections.measurement import MeterSettings

GPU = torch.device("cuda:0")
NOT_SUPPORTED = FakeNotSupported("Not Supported")


def energy_of(meter, change, seconds=0.001):
    """Energy between two readings, with `change` called in between."""
    start = meter.read()
    time.sleep(seconds)
    change()
    return meter.energy_between(start, meter.read())


def test_a_gpu_is_measured_in_joules_whatever_its_place(gpus, powercap):
    first, second = FakeGpu("GPU-aaaa", energy=10_000), FakeGpu("GPU-bbbb", energy=50_000)
    gpus(first, second, visible=["bbbb", "aaaa"])  # CUDA_VISIBLE_DEVICES=1,0
    meter = open_meter(torch.device("cuda:0"), MeterSettings())

    def use():
        first.energy += 1_000
        second.energy += 7_500

    energy = energy_of(meter, use)
    assert meter.source == "nvml"
    assert energy.by_domain == {"nvidia_gpu_1": pytest.approx(7.5)}
    assert meter.power_limit_watts == 230


def test_the_headline_of_a_gpu_run_is_the_gpu_alone_with_the_cpu_told_beside_it(gpus, powercap):
    gpu = FakeGpu("GPU-aaaa", energy=1)
    gpus(gpu, visible=["aaaa"])
    powercap.add("0", "package-0")
    meter = open_meter(torch.device("cuda:0"), MeterSettings())

    def use():
        gpu.energy += 9_000
        powercap.set("0", 40_000_000)

    energy = energy_of(meter, use)
    assert energy.joules == pytest.approx(9)
    assert energy.by_domain == {"nvidia_gpu_0": pytest.approx(9), "package_0": pytest.approx(40)}


def test_a_missing_value_beside_the_headline_leaves_the_headline_valid(gpus, powercap):
    gpu = FakeGpu("GPU-aaaa", energy=1)
    gpus(gpu, visible=["aaaa"])
    powercap.add("0", "package-0", energy=5)
    meter = open_meter(torch.device("cuda:0"), MeterSettings())
    energy = energy_of(meter, lambda: setattr(gpu, "energy", 2_001))
    assert energy.valid
    assert energy.joules == pytest.approx(2)
    assert energy.by_domain["package_0"] is None


def test_an_estimate_is_never_put_beside_a_measurement(gpus, without_rapl):
    gpus(FakeGpu("GPU-aaaa"), visible=["aaaa"])
    meter = open_meter(torch.device("cuda:0"), MeterSettings())
    assert set(meter.read().counters) == {"nvidia_gpu_0"}


def test_a_slice_of_a_gpu_is_refused(gpus, powercap):
    gpus(FakeGpu("GPU-aaaa", mig=(1, 1)), visible=["dddd"])  # the slice has a UUID of its own
    with pytest.raises(MeterUnavailable, match="MIG slice"):
        open_meter(torch.device("cuda:0"), MeterSettings())
    gpus(FakeGpu("GPU-aaaa", mig=(1, 1)), visible=["aaaa"])
    with pytest.raises(MeterUnavailable, match="MIG slice"):
        open_meter(torch.device("cuda:0"), MeterSettings())


@pytest.mark.parametrize("refusal", ["GPU is lost", "Insufficient Permissions", "Unknown Error"])
def test_another_gpu_that_is_lost_or_refuses_does_not_matter(gpus, without_rapl, refusal):
    """The outside is pynvml: a GPU in such a state raises at every question, that for its handle included."""
    healthy = FakeGpu("GPU-bbbb", energy=1)
    gpus(FakeGpu("GPU-aaaa", refuses=refusal), healthy, FakeGpu("GPU-cccc", refuses=refusal), visible=["bbbb"])
    meter = open_meter(GPU, MeterSettings())
    energy = energy_of(meter, lambda: setattr(healthy, "energy", 4_001))
    assert energy.by_domain == {"nvidia_gpu_1": pytest.approx(4)}
    assert hardware.device_state(GPU)["power_watts"] == 150
    assert hardware.device_state(GPU)["processes"] == []


def test_a_gpu_that_is_lost_itself_is_an_error_that_says_so(gpus, powercap):
    gpus(FakeGpu("GPU-aaaa", refuses="GPU is lost"), visible=["aaaa"])
    with pytest.raises(MeterUnavailable, match=r"no GPU with the UUID aaaa \(GPU is lost\); check the driver"):
        open_meter(GPU, MeterSettings())


def test_a_gpu_that_nvml_does_not_know_is_refused(gpus, powercap):
    gpus(FakeGpu("GPU-aaaa"), visible=["cccc"])
    with pytest.raises(MeterUnavailable, match=r"no GPU with the UUID cccc \(Not Found\)"):
        open_meter(GPU, MeterSettings())


def test_a_driver_that_does_not_answer_is_refused_and_its_mend_depends_on_the_maker(gpus, powercap, cards):
    gpus(visible=["aaaa"], works=False)
    with pytest.raises(MeterUnavailable, match="install the NVIDIA driver"):
        open_meter(GPU, MeterSettings())
    cards("0x1002")
    with pytest.raises(MeterUnavailable, match="PyTorch for ROCm") as refusal:
        open_meter(GPU, MeterSettings())
    assert "NVIDIA" not in str(refusal.value)


@pytest.fixture
def cards(tmp_path, monkeypatch):
    """Cards of makers, as Linux lists them."""
    monkeypatch.setattr(gpu_makers, "DRM", tmp_path)

    def add(*vendors):
        for number, vendor in enumerate(vendors):
            (tmp_path / f"card{number}/device").mkdir(parents=True)
            (tmp_path / f"card{number}/device/vendor").write_text(f"{vendor}\n")

    return add


def test_the_makers_of_the_cards_of_a_machine_are_told_without_a_driver(cards):
    assert gpu_makers.gpu_makers() == set()
    cards("0x1002", "0x10de", "0x8086", "0x1002")
    assert gpu_makers.gpu_makers() == {"AMD", "NVIDIA"}


def test_where_pytorch_is_not_built_for_the_amd_gpu_of_the_machine_it_says_so(cards, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cards("0x1002")
    with pytest.raises(UserError, match=r"there is no cuda; the GPU here is AMD's.*build for ROCm"):
        resolve_device("cuda")
    assert resolve_device("auto") == torch.device("cpu")


def test_a_gpu_of_another_maker_is_not_asked_of_nvml_and_the_message_names_what_counts_it(gpus, powercap, monkeypatch):
    gpus(FakeGpu("GPU-aaaa"), visible=["aaaa"])
    monkeypatch.setattr(torch.version, "hip", "6.2")  # PyTorch for AMD calls its GPUs cuda
    with pytest.raises(MeterUnavailable, match=r"cuda:0: meter\.backend: pyjoules.*auto, after `pip install zeus`"):
        open_meter(GPU, MeterSettings())


# A counter that was set back


def test_a_counter_of_a_gpu_that_jumps_is_not_valid(gpus, without_rapl):
    """By hand: 1.5 × 230 W for the second by which a counter may lag, and no time: 345 J and no more."""
    gpu = FakeGpu("GPU-aaaa", energy=1_000_000)
    gpus(gpu, visible=["aaaa"])
    meter = open_meter(GPU, MeterSettings())
    energy = energy_of(meter, lambda: setattr(gpu, "energy", 1_300_000))
    assert energy.joules == pytest.approx(300)
    energy = energy_of(meter, lambda: setattr(gpu, "energy", 9_000_000))
    assert energy.joules is None
    assert energy.reasons[0].startswith("nvidia_gpu_0 jumped by 7700 J in ")
    energy = energy_of(meter, lambda: setattr(gpu, "energy", 40))  # the driver was loaded anew
    assert "went backwards" in energy.reasons[0]


# A module with a Grace CPU


@pytest.mark.parametrize(
    ("name", "link", "module"),
    [
        ("NVIDIA GH200 480GB", True, True),
        ("NVIDIA GH200 480GB", None, True),  # a driver that does not tell
        ("NVIDIA GB200", None, True),
        ("NVIDIA H200", None, False),
        ("NVIDIA H100 80GB HBM3", False, False),
        ("NVIDIA GeForce RTX 4090", None, False),
        ("NVIDIA GeForce GTX 1080", None, False),
    ],
)
def test_the_counter_of_a_module_is_told_from_that_of_a_board(gpus, without_rapl, name, link, module):
    gpus(FakeGpu("GPU-aaaa", name=name, chip_to_chip=link), visible=["aaaa"])
    record = open_meter(GPU, MeterSettings()).description()
    assert record["source"] == ("nvml_module" if module else "nvml")
    assert ("Grace CPU" in record["boundary"]) == module


# A GPU without a counter of energy


def test_where_there_is_no_counter_of_energy_power_is_integrated_under_a_name_of_its_own(gpus, without_rapl, caplog):
    """The outside is the law: watts times seconds, whatever the threads do."""
    gpu = FakeGpu("GPU-aaaa", energy=NOT_SUPPORTED, power=40_000)
    gpus(gpu, visible=["aaaa"])
    meter = open_meter(GPU, MeterSettings())
    energy = energy_of(meter, lambda: None, seconds=0.2)
    assert meter.source == energy.source == "nvml_power"
    assert energy.valid
    assert energy.mean_power_watts == pytest.approx(40, rel=0.01)
    assert meter.notes == ()
    assert "has no counter of energy" in caplog.text
    assert meter.description()["readers"]["nvidia-ml-py"]


def test_power_that_can_no_longer_be_read_is_not_valid(gpus, without_rapl):
    gpu = FakeGpu("GPU-aaaa", energy=NOT_SUPPORTED)
    gpus(gpu, visible=["aaaa"])
    meter = open_meter(GPU, MeterSettings())
    energy = energy_of(meter, lambda: setattr(gpu, "power", FakeNvmlError("GPU is lost")))
    assert energy.joules is None
    assert "GPU is lost" in energy.reasons[0]


def test_a_gpu_that_tells_neither_energy_nor_power_is_refused(gpus, powercap):
    gpus(FakeGpu("GPU-aaaa", energy=NOT_SUPPORTED, power=NOT_SUPPORTED), visible=["aaaa"])
    with pytest.raises(MeterUnavailable, match="neither its energy nor its power"):
        open_meter(GPU, MeterSettings())


def test_a_counter_that_fails_for_another_reason_is_an_error_and_not_replaced(gpus, powercap):
    gpus(FakeGpu("GPU-aaaa", energy=FakeNvmlError("Unknown Error")), visible=["aaaa"])
    with pytest.raises(MeterUnavailable, match=r"does not tell its energy \(Unknown Error\)"):
        open_meter(GPU, MeterSettings())
