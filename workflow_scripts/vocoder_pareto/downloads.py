"""Files from the network: resumed where they broke off, and checked by SHA-256."""

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from vocoder_pareto.errors import UserError

_BLOCK = 1 << 20
_TIMEOUT_SECONDS = 60
_NETWORK_ERRORS = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


@dataclass(frozen=True)
class Release:
    """A published file.

    Attributes:
        url: Where it is.
        sha256: The SHA-256 of its content, 64 hex digits; None where it is not known, and then not checked.
    """

    url: str
    sha256: str | None


def download(release: Release, target: Path, otherwise: str, attempts: int = 5) -> str:
    """Download `release` to `target`, which appears once its checksum is right; go on with what an earlier try left.

    Where no checksum is known, nothing tells whether what an earlier run left is of the same file: it begins anew.
    When the network fails it is tried again up to `attempts` times, after 1, 2, 4, … seconds.

    Args:
        release: What to fetch.
        target: The file to write.
        otherwise: What a user can do instead, as messages end.
        attempts: How often to try, at least 1.

    Returns:
        The SHA-256 of what was downloaded.

    Raises:
        UserError: The server cannot be reached or breaks off, the checksum is wrong, or the disk is full.
    """
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if release.sha256 is None:
            partial.unlink(missing_ok=True)
        _transfer_patiently(release.url, partial, attempts)
        found = sha256_of(partial)
        if release.sha256 not in (found, None):
            partial.unlink()
            raise UserError(
                f"{release.url}: the download has SHA-256 {found}, not {release.sha256}; it was deleted. "
                f"Rerun to download it again, or {otherwise}"
            )
        partial.replace(target)
        return found
    except _NETWORK_ERRORS as error:
        reason = getattr(error, "reason", error)
        raise UserError(
            f"{release.url}: the download failed ({reason}); rerun to go on with it, or {otherwise}"
        ) from error
    except OSError as error:
        raise UserError(f"{partial}: cannot be written ({error.strerror}); free space or mend permissions") from error


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, 64 hex digits, under a progress bar.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file, bytes_bar("Checking", path.stat().st_size) as bar:
        while block := file.read(_BLOCK):
            digest.update(block)
            bar.update(len(block))
    return digest.hexdigest()


def bytes_bar(description: str, total: int | None, initial: int = 0) -> tqdm:
    """A progress bar that counts bytes, of `total` if that is known, from `initial`."""
    return tqdm(
        desc=description, total=total, initial=initial, unit="B", unit_scale=True, unit_divisor=1024, mininterval=1.0
    )


def _transfer_patiently(url: str, partial: Path, attempts: int) -> None:
    for attempt in range(attempts):
        try:
            return _transfer(url, partial)
        except _NETWORK_ERRORS:
            if attempt == attempts - 1:
                raise
            time.sleep(2**attempt)


def _transfer(url: str, partial: Path) -> None:
    """Append to `partial` what is missing of it."""
    have = partial.stat().st_size if partial.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if have and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is missing; the checksum tells whether it is right
        raise
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = 0  # the server sends it from the start
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        with partial.open("ab" if have else "wb") as file, bytes_bar("Downloading", total, have) as bar:
            while block := response.read(_BLOCK):
                file.write(block)
                have += len(block)
                bar.update(len(block))
    if total is not None and have < total:
        raise ConnectionError(f"the server broke off after {have} of {total} bytes")
