"""A receiver for the answers of our page, which a laboratory can run: a WSGI application that only adds files.

It takes valid answers to one test and writes each into a file of its own. It serves no file, changes none, and reads
back none. `workflow_scripts/receive_responses.py` runs it with the server of the standard library; Gunicorn and other
servers of WSGI take what `receiver` returns.
"""

import hashlib
import ipaddress
import json
import logging
import os
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import bring_names_to_disk, bring_to_disk
from vocoder_pareto.listening_test.answers import AnswersFault, MakeRating, mean_opinion, results_of
from vocoder_pareto.listening_test.key import KeyOfSessions, read_key
from vocoder_pareto.listening_test.paired_answers import preference
from vocoder_pareto.listening_test.paired_key import is_paired_key, read_paired_key
from vocoder_pareto.listening_test.ratings import RejectedRow

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH = "/answers"
MOST_ADDRESSES = 10_000  # that are remembered for a minute
_MINUTE = 60.0
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TEXT = re.compile(r"[^\x00-\x1f\x7f]{1,200}")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What a receiver takes at most.

    Attributes:
        max_bytes: The size of one submission.
        max_per_minute: Submissions of one address in a minute.
        max_total_bytes: The size of all files in the folder.
    """

    max_bytes: int = 1_000_000
    max_per_minute: int = 30
    max_total_bytes: int = 2_000_000_000


class Refusal(Exception):
    """A request is not served. `status` says how, the message why."""

    def __init__(self, status: HTTPStatus, message: str):
        super().__init__(message)
        self.status = status


def receiver(
    key: str | Path,
    folder: str | Path,
    limits: Limits | None = None,
    allowed_origin: str = "*",
    trusted_proxies: Collection[str] = (),
) -> "Receiver":
    """The WSGI application that takes answers to the test of `key` and adds them to `folder`.

    Args:
        key: The key.json, or paired_key.json, of the export that participants answer.
        folder: The folder to add files to, on a disk of this machine; it is made if it is missing.
        limits: What is taken at most.
        allowed_origin: The origin (`https://host`) of pages that may send answers; `*` for any, and for pages opened
            from disk.
        trusted_proxies: Addresses of proxies of yours, which append to X-Forwarded-For whom they serve.

    Raises:
        UserError: The key cannot be read, or files cannot be added to the folder.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe, link = (folder / f".{secrets.token_hex(8)}.probe{number}" for number in (1, 2))
        probe.touch(exist_ok=False)
        try:
            os.link(probe, link)
            link.unlink()
        finally:
            probe.unlink()
    except OSError as error:
        raise UserError(
            f"{folder}: answers cannot be added ({error.strerror or error}); mend its permissions, or take a folder on "
            "a disk of this machine"
        ) from error
    limits = limits or Limits()
    rate = RateLimiter(limits.max_per_minute)
    paired = read_paired_key(key) if is_paired_key(key) else None
    make = partial(preference, paired.scale) if paired else mean_opinion
    return Receiver(paired or read_key(key), make, folder, limits, allowed_origin, trusted_proxies, rate)


@dataclass
class RateLimiter:
    """Allows so many calls of each caller in any minute; it remembers callers for as long, and not too many."""

    max_per_minute: int
    clock: Callable[[], float] = time.monotonic
    calls: dict[str, deque[float]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def allows(self, caller: str) -> bool:
        """Whether this call of `caller` is one that it may make; it is counted either way."""
        with self.lock:
            now = self.clock()
            if len(self.calls) >= MOST_ADDRESSES:
                self.calls = {name: times for name, times in self.calls.items() if times[-1] > now - _MINUTE}
            if caller not in self.calls and len(self.calls) >= MOST_ADDRESSES:
                return False
            times = self.calls.setdefault(caller, deque(maxlen=self.max_per_minute + 1))
            times.append(now)
            return len(times) <= self.max_per_minute or times[0] <= now - _MINUTE


@dataclass
class Receiver:
    """The application, see `receiver`."""

    key: KeyOfSessions
    make: MakeRating
    folder: Path
    limits: Limits
    allowed_origin: str
    trusted_proxies: Collection[str]
    rate: RateLimiter

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request, as WSGI (PEP 3333) asks for it."""
        headers = [("Access-Control-Allow-Origin", self.allowed_origin)]
        try:
            status, told, more = self._served(environ)
            headers += more
        except Refusal as refusal:
            status, told = refusal.status, {"error": str(refusal)}
            logger.warning("refused (%d): %s", status, refusal)
            if status == HTTPStatus.METHOD_NOT_ALLOWED:
                headers.append(("Allow", "POST, OPTIONS"))
        except OSError as error:  # a full disk, say; the page goes on trying, and says that a file can be saved
            status, told = HTTPStatus.INSUFFICIENT_STORAGE, {"error": "answers cannot be stored"}
            logger.error("answers cannot be stored: %s", error)
        body = b"" if status == HTTPStatus.NO_CONTENT else json.dumps(told).encode() + b"\n"
        if body:
            headers += [("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff")]
            headers.append(("Content-Length", str(len(body))))
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    def _served(self, environ: "WSGIEnvironment") -> tuple[HTTPStatus, dict[str, Any], list[tuple[str, str]]]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if path == "/" and method == "GET":
            return HTTPStatus.OK, {"ready": self.key.test_id}, []
        if path != PATH:
            raise Refusal(HTTPStatus.NOT_FOUND, f"answers are posted to {PATH}")
        if method == "OPTIONS":  # browsers ask before they post to another origin
            allowed = [("Access-Control-Allow-Methods", "POST"), ("Access-Control-Allow-Headers", "Content-Type")]
            return HTTPStatus.NO_CONTENT, {}, [*allowed, ("Access-Control-Max-Age", "86400")]
        if method != "POST":
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "answers are posted")
        if not self.rate.allows(self._caller(environ)):
            raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "too many submissions; try again in a minute")
        body = self._body(environ)
        self._require_valid(body)
        self._store(body)
        return HTTPStatus.OK, {"stored": True}, []

    def _caller(self, environ: "WSGIEnvironment") -> str:
        caller = str(environ.get("REMOTE_ADDR", ""))
        if caller in self.trusted_proxies:
            caller = str(environ.get("HTTP_X_FORWARDED_FOR", caller)).rpartition(",")[2].strip()
        try:
            address = ipaddress.ip_address(caller)
        except ValueError:
            return "unknown"
        # Whoever has one address of IPv6 has 2^64 of them.
        return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)

    def _body(self, environ: "WSGIEnvironment") -> bytes:
        if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json":
            raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "answers are application/json")
        length = environ.get("CONTENT_LENGTH", "")
        if not re.fullmatch(r"[0-9]{1,15}", length, re.ASCII):
            raise Refusal(HTTPStatus.LENGTH_REQUIRED, "Content-Length is missing or no number")
        if int(length) > self.limits.max_bytes:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {self.limits.max_bytes} bytes")
        try:
            body = environ["wsgi.input"].read(int(length))
        except OSError as error:
            raise Refusal(HTTPStatus.REQUEST_TIMEOUT, "the answers did not come in time") from error
        if len(body) < int(length):
            raise Refusal(HTTPStatus.BAD_REQUEST, "the answers end too early")
        return body

    def _require_valid(self, body: bytes) -> None:
        """Refuse what our page does not send."""
        try:
            content = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, "no JSON in UTF-8") from error
        try:
            results = results_of(content, "answers", self.key, self.make)
        except AnswersFault as fault:
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(fault)) from fault
        rejected = next((row for row in results.rows if isinstance(row, RejectedRow)), None)
        if rejected:
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"rating {rejected.row}: {rejected.reason}")
        if content["simulated"] is not False:
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "the answers are simulated")
        for name, form, value in (
            ("submission_id", _IDENTIFIER, content["submission_id"]),
            ("participant", _TEXT, content["participant"]),
            ("finished_at", _TEXT, content["finished_at"] or "none"),
        ):
            if not isinstance(value, str) or not form.fullmatch(value):
                raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} is not what the page sends")

    def _store(self, body: bytes) -> None:
        """Add a file that holds `body`, on disk before this returns; the same again is the same file."""
        path = self.folder / f"answers_{hashlib.sha256(body).hexdigest()[:32]}.json"
        if path.exists():
            logger.info("%s came again", path.name)
            return
        used = sum(map(_size, os.scandir(self.folder)))
        if used + len(body) > self.limits.max_total_bytes:
            raise Refusal(HTTPStatus.INSUFFICIENT_STORAGE, f"all answers together exceed {self.limits.max_total_bytes}")
        temporary = self.folder / f".{secrets.token_hex(8)}.part"  # hidden files are not read as responses
        try:
            with open(temporary, "xb") as file:
                file.write(body)
                file.flush()
                bring_to_disk(file.fileno())
            try:
                os.link(temporary, path)  # fails where there is such a file, which a renaming would overwrite
            except FileExistsError:
                pass  # the same answers, sent twice at one time
        finally:
            temporary.unlink(missing_ok=True)
        bring_names_to_disk(self.folder)
        logger.info("%s was stored", path.name)


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:
        return 0  # the temporary file of another submission, which has its own name now


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
