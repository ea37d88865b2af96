"""The parts of a training run: saved state, batches, budget, energy and emissions, the curve, the batch size."""

import itertools
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.meter import Energy
from vocoder_pareto.training import batch_size
from vocoder_pareto.training.accounting import CarbonSettings, EnergyAccount
from vocoder_pareto.training.curve import TrainingCurve
from vocoder_pareto.training.data import ClipDataset, ShuffledBatches, batch_loader
from vocoder_pareto.training.progress import Progress, predicted, reason_to_stop, share_done
from vocoder_pareto.training.run_settings import RunSettings
from vocoder_pareto.training.state import StateFolder


def test_the_newest_state_is_loaded(tmp_path):
    folder = StateFolder(tmp_path / "s")
    assert folder.load() is None
    folder.save({"step": 1})
    folder.save({"step": 2})
    assert folder.load() == {"step": 2}


def test_a_damaged_state_falls_back_to_the_one_before_and_two_damaged_ones_are_named(tmp_path):
    folder = StateFolder(tmp_path / "s")
    folder.save({"step": 1})
    folder.save({"step": 2})
    folder.newest.write_bytes(folder.newest.read_bytes()[:100])
    assert folder.load() == {"step": 1}
    folder.previous.write_bytes(b"")
    with pytest.raises(UserError, match=r"state\.pt and previous\.pt are damaged; delete them"):
        folder.load()


FULL_DISK = """
import resource, sys, torch
sys.path.insert(0, {library!r})
from vocoder_pareto.errors import UserError
from vocoder_pareto.training.state import StateFolder
folder = StateFolder({folder!r})
folder.save({{"step": 1}})
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    folder.save({{"step": 2, "weights": torch.zeros(1_000_000)}})
except UserError as error:
    print(error)
print(folder.load()["step"], sorted(path.name for path in folder.folder.iterdir()))
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit of file sizes")
def test_a_disk_that_cannot_take_the_state_leaves_the_last_one_usable(tmp_path):
    library = str(Path(__file__).resolve().parents[3] / "workflow_scripts")
    code = FULL_DISK.format(library=library, folder=str(tmp_path / "s"))
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "the training state cannot be written" in result.stdout, result.stderr
    assert "Free space or mend permissions, then run again to resume" in result.stdout
    assert result.stdout.splitlines()[-1] == "1 ['state.pt']"


def test_every_epoch_takes_each_clip_once_in_a_new_order():
    batches = list(itertools.islice(ShuffledBatches(12, 4, seed=0), 6))
    first, second = list(itertools.chain(*batches[:3])), list(itertools.chain(*batches[3:]))
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second


def test_batches_depend_on_the_seed_and_their_number_alone():
    whole = list(itertools.islice(ShuffledBatches(10, 3, seed=5), 12))
    resumed = list(itertools.islice(ShuffledBatches(10, 3, seed=5, first=7), 5))
    assert resumed == whole[7:]
    assert whole != list(itertools.islice(ShuffledBatches(10, 3, seed=6), 12))


def test_a_set_smaller_than_the_batch_gives_batches_of_the_whole_set():
    batches = ShuffledBatches(3, 8, seed=0)
    assert batches.batches_per_epoch == 1
    assert sorted(next(iter(batches))) == [0, 1, 2]


@pytest.mark.parametrize("device", [None, torch.device("cpu")], ids=["from disk", "on the device"])
@pytest.mark.parametrize("workers", [0, 1])
def test_data_on_the_device_and_from_disk_are_the_same(device, workers):
    random = np.random.default_rng(0)
    clips, mels = random.random((6, 8), np.float32), random.random((6, 2, 4), np.float32)
    rows = np.array([0, 2, 4, 5])
    numbers = ShuffledBatches(4, 2, seed=0)
    state = torch.get_rng_state()
    loader = iter(batch_loader(ClipDataset(clips, mels, rows, device), numbers, workers, pin_memory=False))
    for expected in itertools.islice(ShuffledBatches(4, 2, seed=0), 3):
        batch = next(loader)
        np.testing.assert_array_equal(batch.audio.numpy(), clips[rows[expected]])
        np.testing.assert_array_equal(batch.mel.numpy(), mels[rows[expected]])
    assert torch.equal(torch.get_rng_state(), state), "loading drew from the generator of the losses"


def test_the_budget_that_is_reached_first_ends_the_training():
    run = RunSettings(steps=100, hours=1.0, energy_kwh=1.0)
    assert reason_to_stop(Progress(99, 3599.0, 3.5e6), run) is None
    assert reason_to_stop(Progress(100, 0.0, 0.0), run) == "steps"
    assert reason_to_stop(Progress(1, 3600.0, 0.0), run) == "hours"
    assert reason_to_stop(Progress(1, 1.0, 3.6e6), run) == "energy_kwh"
    assert reason_to_stop(Progress(1, 1.0, None), run) is None
    assert share_done(Progress(10, 1800.0, 0.9e6), run) == pytest.approx(0.5)


def test_a_run_without_budget_is_refused():
    with pytest.raises(ValueError, match="no budget"):
        RunSettings()


def test_the_prediction_is_in_proportion_and_the_papers_emissions_follow():
    run = RunSettings(hours=120)
    # 1.2 h at 300 W are 1 % of the paper's 36 kWh per model, and 0.7 kg per kWh make 25.2 kg of it.
    prediction = predicted(Progress(50, 1.2 * 3600, 1.2 * 3600 * 300), run, CarbonSettings(0.7).kg_per_joule)
    assert prediction.seconds == pytest.approx(120 * 3600)
    assert prediction.joules == pytest.approx(36 * 3.6e6)
    assert prediction.co2eq_kg == pytest.approx(25.2)
    doubled = CarbonSettings(0.7, power_usage_effectiveness=2.0)
    assert predicted(Progress(50, 432.0, 1.0), run, doubled.kg_per_joule).co2eq_kg == pytest.approx(
        2 * predicted(Progress(50, 432.0, 1.0), run, CarbonSettings(0.7).kg_per_joule).co2eq_kg
    )


class FakeMeter:
    source = "nvml"
    longest_gap_seconds = None

    def __init__(self, joules):
        self.joules = iter(joules)

    def read(self):
        return "a reading"

    def energy_between(self, start, end, may_stand_seconds):
        joules = next(self.joules)
        reasons = () if joules is not None else ("gpu went backwards",)
        return Energy(joules, 1.0, {"gpu": joules}, self.source, joules is not None, reasons)


def test_energy_is_summed_over_stretches():
    account = EnergyAccount(FakeMeter([2.0, 3.0]), interval_seconds=5.0)
    account.resume()
    assert not account.update(4.9)
    assert account.update(5.0)
    account.pause()
    assert account.joules == 5.0
    assert account.by_domain == {"gpu": 5.0}


def test_a_stretch_that_was_not_measured_makes_the_sum_unknown_not_smaller():
    account = EnergyAccount(FakeMeter([2.0, None, 3.0]), interval_seconds=0.0)
    account.resume()
    account.update(1.0)
    account.update(1.0)
    account.pause()
    assert account.joules is None
    assert "gpu went backwards" in account.reasons


def test_rows_of_a_lost_piece_are_dropped_from_the_curve(tmp_path):
    curve = TrainingCurve(tmp_path, 0)
    for step in (2, 4, 6):
        curve.add({"step": step, "loss": 1.0 / step})
    curve.close()
    with (tmp_path / "metrics.csv").open("a") as file:
        file.write("8,,,")  # cut short by a kill
    resumed = TrainingCurve(tmp_path, 4)
    resumed.add({"step": 6, "loss": 0.5})
    resumed.close()
    rows = [line.split(",") for line in (tmp_path / "metrics.csv").read_text().splitlines()]
    assert [row[0] for row in rows] == ["step", "2", "4", "6"]
    assert rows[-1][-1] == "0.5"


@pytest.mark.parametrize("limit", [1, 2, 5, 37, 59, 60, 1000])
def test_the_largest_batch_that_fits_is_found_within_a_sixteenth(monkeypatch, limit):
    tried = []

    def fits(objective, dataset, device, size):
        tried.append(size)
        return size <= limit

    monkeypatch.setattr(batch_size, "_fits", fits)
    size = batch_size.largest_batch_size(None, range(60), torch.device("cuda"), margin=0.9)
    assert size <= min(limit, 60)
    assert size >= 0.9 * min(limit, 60) * 15 / 16 - 1
    assert len(tried) == len(set(tried)), "no size is tried twice"


def test_a_gpu_too_small_for_one_clip_is_named(monkeypatch):
    monkeypatch.setattr(batch_size, "_fits", lambda *arguments: False)
    with pytest.raises(UserError, match="not even one clip fits"):
        batch_size.largest_batch_size(None, range(60), torch.device("cuda"), margin=0.9)
