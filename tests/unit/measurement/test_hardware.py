import os
import time

import numpy as np
import pytest
import torch
from simulated_counters import FakeGpu

from vocoder_pareto.measurement import hardware
from vocoder_pareto.measurement.bounds import Bounds, violations
from vocoder_pareto.measurement.digests import digest, file_digest
from vocoder_pareto.measurement.hardware import PeakMemory, device_state, peak_flops_per_second
from vocoder_pareto.measurement.nvml import gpu_description, gpu_state

CPU = torch.device("cpu")
GPU = torch.device("cuda:0")


def test_this_machine_is_described():
    described = hardware.hardware_description(CPU)
    assert described["cpu"]["logical_cores"] == os.cpu_count()
    assert described["cpu"]["torch_threads"] == torch.get_num_threads()
    assert described["gpu"] is None
    assert described["memory_bytes"] > 1e8


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        (
            {
                "proc/self/cgroup": "0::/machine/job\n",
                "sys/fs/cgroup/machine/cpu.max": "100000 100000\n",
                "sys/fs/cgroup/machine/job/cpu.max": "400000 100000\n",
            },
            1.0,
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/a\n3:cpu,cpuacct:/docker/1f\n0::/\n",  # as seen from inside
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            0.5,
        ),
        (
            {
                "proc/self/cgroup": "3:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
    ],
    ids=["unknown", "container", "no limit", "the least of a path", "version 1", "version 1 without limit"],
)
def test_the_limit_of_control_groups_is_told(tmp_path, files, cores):
    """Files as in the kernel's documentation, cgroup-v2.rst and sched-bwc.rst."""
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert hardware.cpu_limit_cores(tmp_path) == cores


def test_state_tells_the_work_of_this_process_from_that_of_others():
    marks = [time.process_time()]
    before = device_state(CPU)
    marks.append(time.process_time())
    while time.process_time() - marks[1] < 0.1:
        pass
    marks.append(time.process_time())
    after = device_state(CPU)
    marks.append(time.process_time())
    assert marks[2] - marks[1] <= after["own_cpu_seconds"] - before["own_cpu_seconds"] <= marks[3] - marks[0]
    assert after["machine_cpu_seconds"] >= before["machine_cpu_seconds"]


def test_peak_memory_is_that_of_the_work_and_not_of_what_came_before():
    earlier = np.ones(30_000_000)
    del earlier
    memory = PeakMemory(CPU)
    if memory.method != "peak resident set":
        pytest.skip("this system lets no process forget its peak")
    start = memory.bytes()
    work = np.ones(12_500_000)  # 100 MB
    del work
    assert memory.bytes() - start == pytest.approx(100e6, rel=0.2)


def test_a_gpu_is_described_as_far_as_nvml_knows(gpus):
    gpus(FakeGpu("GPU-aaaa"), visible=["aaaa"])
    described = gpu_description(GPU)
    assert described["name"] == "NVIDIA Imaginary"
    assert described["enforced_power_limit_watts"] == 230
    assert described["driver"] is None  # this NVML does not tell


def test_the_state_of_a_gpu_names_processes_and_throttling(gpus):
    gpus(FakeGpu("GPU-aaaa", processes=[10, 11], throttle=0x44), visible=["aaaa"])
    state = gpu_state(GPU)
    assert state["processes"] == [10, 11]
    assert state["throttle_reasons"] == ["power_cap", "hardware_thermal"]
    assert state["temperature_celsius"] is None


def test_peak_rate_of_a_gpu_follows_from_its_cores_and_clock(gpus):
    gpus(FakeGpu("GPU-aaaa"), visible=["aaaa"])
    # 8,192 cores at 1.7 GHz, as an RTX A5000: the data sheet says 27.8 TFLOP/s.
    assert peak_flops_per_second(GPU, "float32") == pytest.approx(27.8e12, rel=0.01)
    assert peak_flops_per_second(GPU, "bf16") > peak_flops_per_second(GPU, "tf32") > 27.9e12


def test_this_processor_cannot_beat_its_bound():
    left, right = torch.randn(2, 512, 512)
    begin = time.perf_counter()
    for _ in range(20):
        left @ right
    rate = 20 * 2 * 512**3 / (time.perf_counter() - begin)
    assert rate < peak_flops_per_second(CPU, "float32")


def test_bounds_that_are_not_known_are_not_broken():
    assert violations(Bounds(None, None, None), 1e9, 1e30) == {}


def test_digests_do_not_depend_on_the_order_of_keys(tmp_path):
    assert digest({"a": 1, "b": [2, 3]}) == digest({"b": [2, 3], "a": 1}) != digest({"a": 1, "b": [3, 2]})
    (tmp_path / "file").write_bytes(b"abc")
    assert file_digest(tmp_path / "file").startswith("ba7816bf8f01cfea")  # FIPS 180-2, appendix B.1


def test_where_linux_keeps_no_peak_the_memory_is_not_measured(monkeypatch):
    monkeypatch.setattr(hardware, "_text", lambda path: None)
    assert PeakMemory(CPU).bytes() is None
