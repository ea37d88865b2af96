"""The receiver, as a WSGI application that Python's own validator checks, and over a real connection."""

import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test import receiver as receiver_module
from vocoder_pareto.listening_test import wsgi_server
from vocoder_pareto.listening_test.key import write_key
from vocoder_pareto.listening_test.paired_key import write_paired_key
from vocoder_pareto.listening_test.paired_planning import plan_paired_test
from vocoder_pareto.listening_test.receiver import Limits, RateLimiter, receiver
from vocoder_pareto.listening_test.responses import read_responses
from vocoder_pareto.listening_test.wsgi_server import server_of
from vocoder_pareto.study.sections.listening_test import LoudnessSettings, PairedSettings

PROGRAM = Path(__file__).resolve().parents[3] / "workflow_scripts" / "receive_responses.py"


@pytest.fixture
def key_path(tmp_path, key):
    path = tmp_path / "export" / "key.json"
    path.parent.mkdir()
    write_key(path, key)
    return path


@pytest.fixture
def received(tmp_path):
    return tmp_path / "received"


@pytest.fixture
def make(key_path, received):
    def with_limits(**limits):
        return receiver(key_path, received, Limits(**limits))

    return with_limits


@pytest.fixture
def valid(answers_of):
    """Answers as the page sends them."""

    def make(number=1, **changes):
        return answers_of(number, **{"submission_id": f"{number:032x}"} | changes)

    return make


def call(application, method="POST", path="/answers", body=b"", **environ):
    """The status, the headers and the body of one request, checked for conformance with WSGI."""
    given = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": ""}
    given["REMOTE_ADDR"] = "192.0.2.1"
    given["wsgi.input"] = io.BytesIO(body)
    if method == "POST":
        given |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    given |= environ
    setup_testing_defaults(given)
    told = {}

    def start_response(status, headers, exc_info=None):
        told.update(status=int(status.split()[0]), headers=dict(headers))

    # The validator passes no length that is no number, which a server does.
    is_conformant = given.get("CONTENT_LENGTH", "").isdecimal() or not given.get("CONTENT_LENGTH")
    result = (validator(application) if is_conformant else application)(given, start_response)
    content = b"".join(result)
    if is_conformant:
        result.close()
    return told["status"], told["headers"], content


def post(application, content, **environ):
    status, _, body = call(application, body=json.dumps(content).encode(), **environ)
    return status, json.loads(body)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


# -------------------------------------------------------------------- storing


def test_valid_answers_become_files_that_read_back(make, valid, received, key, systems):
    application = make()
    for number in (1, 2):
        assert post(application, valid(number)) == (200, {"stored": True})
    write_key(received / "key.json", key)
    responses = read_responses(received, systems)
    assert not responses.rejected
    assert {rating.participant for rating in responses.ratings} == {"p1", "p2"}


def test_a_file_holds_the_very_bytes_that_came(make, valid, received):
    body = json.dumps(valid(participant="Jürgen"), ensure_ascii=False, indent=3).encode()
    assert call(make(), body=body)[0] == 200
    (name,) = files(received)
    assert (received / name).read_bytes() == body


def test_a_part_and_sounds_that_could_not_be_played_are_taken(make, valid):
    answers = valid(finished_at=None)
    answers["ratings"] = answers["ratings"][:3]
    answers["ratings"][1] |= {"rating": None, "skipped": "cannot_play"}
    assert post(make(), answers)[0] == 200


def test_the_same_answers_sent_again_are_one_file_and_others_are_another(make, valid, received):
    application = make()
    assert [post(application, valid())[0] for _ in range(3)] == [200] * 3
    assert len(files(received)) == 1
    before = (received / files(received)[0]).stat().st_mtime_ns
    assert post(application, valid(reloads=1))[0] == 200
    assert len(files(received)) == 2
    assert before in [(received / name).stat().st_mtime_ns for name in files(received)]


def test_nothing_that_is_there_is_written_over(make, valid, received):
    application = make()
    post(application, valid())
    (name,) = files(received)
    (received / name).write_text("precious")
    assert post(application, valid())[0] == 200
    assert (received / name).read_text() == "precious"


def test_many_at_once_lose_nothing(make, valid, received):
    application = make(max_per_minute=1000)
    every = [valid(number % 6 + 1, reloads=number // 2) for number in range(40)]  # some come twice
    with ThreadPoolExecutor(8) as pool:
        assert {status for status, _ in pool.map(lambda content: post(application, content), every * 2)} == {200}
    distinct = {json.dumps(content) for content in every}
    assert {(received / name).read_text() for name in files(received)} == distinct
    assert not [name for name in os.listdir(received) if name.startswith(".")]


def test_a_disk_that_is_full_is_told_to_the_page_and_leaves_nothing_behind(make, valid, received, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    application = make()
    monkeypatch.setattr(receiver_module, "bring_to_disk", full)
    assert post(application, valid()) == (507, {"error": "answers cannot be stored"})
    assert list(received.iterdir()) == []


def test_answers_to_a_test_of_pairs_are_taken_by_its_own_key(manifests, texts, tmp_path, received):
    settings = PairedSettings(pairs=(("hifigan-S", "melgan-S"),), items=2, participants=2)
    key = plan_paired_test(manifests, settings, LoudnessSettings(), asdict(texts), seed=0).key
    write_paired_key(tmp_path / "paired_key.json", key)
    application = receiver(tmp_path / "paired_key.json", received)
    ratings = [{"stimulus": name, "rating": -3} for name in key.session_by_number[1].trials]
    answers = {
        "format": "vocoder-pareto listening test answers", "version": 1, "test_id": key.test_id, "simulated": False,
        "submission_id": "1", "participant": "p1", "session": 1, "finished_at": None, "ratings": ratings,
    }  # fmt: skip
    assert post(application, answers)[0] == 200
    ratings[0]["rating"] = 5
    assert post(application, answers)[0] == 422
    assert len(files(received)) == 1


# -------------------------------------------------------------------- hostile


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"test_id": "another"}, "belongs to the test"),
        ({"version": 2}, "not the answers"),
        ({"session": 99}, "session 99"),
        ({"session": True}, "session True"),
        ({"ratings": "all"}, "damaged"),
        ({"simulated": True}, "simulated"),
        ({"simulated": 0}, "simulated"),
        ({"participant": "a\nb"}, "participant"),
        ({"participant": "x" * 201}, "participant"),
        ({"participant": 7}, "participant"),
        ({"submission_id": "../../etc/passwd"}, "submission_id"),
        ({"submission_id": ["a"]}, "damaged"),
        ({"finished_at": 5}, "finished_at"),
    ],
)  # fmt: skip
def test_what_is_not_of_this_test_is_refused_with_the_reason(make, valid, received, change, told):
    status, body = post(make(), valid(**change))
    assert status == 422
    assert told in body["error"]
    assert list(received.iterdir()) == []


def test_ratings_that_the_page_cannot_make_are_refused(make, valid, received):
    for change in ({"rating": 6}, {"rating": None}, {"stimulus": "s0"}, {"time_ms": "soon"}):
        answers = valid()
        answers["ratings"][2] |= change
        status, body = post(make(), answers)
        assert (status, body["error"].startswith("rating 3: ")) == (422, True)
    answers = valid()
    answers["ratings"] *= 2
    assert post(make(), answers)[0] == 422
    assert list(received.iterdir()) == []


NO_ANSWERS = {
    "nothing": b"", "cut off": b"{", "list": b"[]", "null": b"null", "no UTF-8": b"\xff\xfe{}", "deep": b"[" * 100_000,
    "long number": b"[" + b"9" * 5000 + b"]", "NaN": b'{"a": NaN}', "markup": b"<script>alert(1)</script>",
    "archive": b"PK\x03\x04", "UTF-16": "{}".encode("utf-16"),
}  # fmt: skip


@pytest.mark.parametrize("body", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_json_of_answers_is_refused(make, received, body):
    status, headers, told = call(make(), body=body)
    assert status in (400, 422)
    assert headers["Content-Type"] == "application/json"
    assert b"<" not in told
    assert list(received.iterdir()) == []


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"CONTENT_LENGTH": ""}, 411),
        ({"CONTENT_LENGTH": "-1"}, 411),
        ({"CONTENT_LENGTH": "1e3"}, 411),
        ({"CONTENT_LENGTH": "٣"}, 411),
        ({"CONTENT_LENGTH": "9" * 400}, 411),
        ({"CONTENT_LENGTH": "1000001"}, 413),
        ({"CONTENT_LENGTH": "999999"}, 400),  # more than comes
        ({"CONTENT_TYPE": "text/plain"}, 415),  # which browsers send without asking first
        ({"CONTENT_TYPE": ""}, 415),
        ({"PATH_INFO": "/answers/../key.json"}, 404),
        ({"PATH_INFO": ""}, 404),
    ],
)
def test_requests_of_the_wrong_form_are_refused_without_reading_too_much(make, valid, received, environ, status):
    assert call(make(), body=json.dumps(valid()).encode(), **environ)[0] == status
    assert list(received.iterdir()) == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
def test_nothing_can_be_fetched_changed_or_deleted(make, valid, received, method):
    application = make()
    post(application, valid())
    (name,) = files(received)
    assert call(application, method, "/answers")[0] == 405
    assert call(application, "GET", f"/{name}")[0] == 404
    assert call(application, "GET", "/key.json")[0] == 404
    assert files(received) == [name]


def test_one_address_cannot_send_without_end_and_others_still_can(make, valid, received):
    application = make(max_per_minute=3)
    statuses = [post(application, valid(reloads=number))[0] for number in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert post(application, valid(reloads=9), REMOTE_ADDR="192.0.2.2")[0] == 200
    assert len(files(received)) == 4


def test_an_address_may_send_again_after_a_minute_and_no_more_than_before():
    now = [0.0]
    limiter = RateLimiter(2, clock=lambda: now[0])
    assert [limiter.allows("a") for _ in range(3)] == [True, True, False]
    now[0] = 59.0
    assert not limiter.allows("a")
    now[0] = 121.0
    assert [limiter.allows("a") for _ in range(3)] == [True, True, False]


def test_addresses_without_end_fill_no_memory(monkeypatch):
    monkeypatch.setattr(receiver_module, "MOST_ADDRESSES", 100)
    now = [0.0]
    limiter = RateLimiter(2, clock=lambda: now[0])
    allowed = [limiter.allows(str(number)) for number in range(1000)]
    assert (sum(allowed), len(limiter.calls)) == (100, 100)
    now[0] = 61.0
    assert limiter.allows("new")
    assert len(limiter.calls) == 1


@pytest.mark.parametrize(
    ("addresses", "is_one"),
    [
        (("192.0.2.1", "192.0.2.2"), False),
        (("2001:db8::1", "2001:db8::ffff:1"), True),  # one network of 64 bits
        (("2001:db8::1", "2001:db8:0:1::1"), False),
    ],
)
def test_who_is_one_sender(key_path, received, valid, addresses, is_one):
    for proxies in ((), ("198.51.100.9",)):
        application = receiver(key_path, received, Limits(max_per_minute=1), trusted_proxies=proxies)
        for place, address in enumerate(addresses):
            # What stands before the last comma, and all of it without a proxy, a sender can write.
            environ = {"REMOTE_ADDR": address, "HTTP_X_FORWARDED_FOR": f"203.0.113.{place}"}
            if proxies:
                environ = {"REMOTE_ADDR": proxies[0], "HTTP_X_FORWARDED_FOR": f"203.0.113.{place}, {address}"}
            assert post(application, valid(), **environ)[0] == (429 if place and is_one else 200)


def test_all_answers_together_have_a_limit(make, valid, received):
    size = len(json.dumps(valid()).encode())
    application = make(max_total_bytes=2 * size + size // 2)
    assert [post(application, valid(reloads=number))[0] for number in range(4)] == [200, 200, 507, 507]
    assert len(files(received)) == 2


def test_a_folder_that_cannot_be_added_to_is_told_before_anyone_sends(key_path, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"file/in: answers cannot be added"):
        receiver(key_path, tmp_path / "file" / "in")


# ----------------------------------------------------------- over a connection


@contextmanager
def serving(application):
    server = server_of(application, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def request(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, path, body, headers or {})
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply.status, reply.headers, content


def test_a_browser_of_another_origin_may_post_after_it_has_asked(key_path, received, valid):
    application = receiver(key_path, received, allowed_origin="https://lab.example.org")
    with serving(application) as port:
        assert request(port, "GET", "/")[0] == 200
        status, headers, _ = request(port, "OPTIONS", "/answers", headers={"Origin": "https://lab.example.org"})
        assert status == 204
        assert headers["Access-Control-Allow-Origin"] == "https://lab.example.org"
        assert headers["Access-Control-Allow-Headers"] == "Content-Type"
        sent = {"Content-Type": "application/json; charset=utf-8"}
        status, headers, _ = request(port, "POST", "/answers", json.dumps(valid()), sent)
        assert (status, headers["Access-Control-Allow-Origin"]) == (200, "https://lab.example.org")
    assert len(files(received)) == 1


def test_a_sender_that_stops_in_the_middle_holds_nobody_up(make, valid, received, monkeypatch):
    monkeypatch.setattr(wsgi_server._Handler, "timeout", 0.3)
    with serving(make()) as port, socket.create_connection(("127.0.0.1", port)) as silent:
        silent.sendall(b"POST /answers HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
        assert request(port, "POST", "/answers", json.dumps(valid()), {"Content-Type": "application/json"})[0] == 200
        assert b" 408 " in silent.makefile("rb").readline()
    assert len(files(received)) == 1


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_program_receives_until_it_is_interrupted(key_path, received, valid, stop):
    command = [sys.executable, PROGRAM, "--key", key_path, "--output", received, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        said = process.stderr.readline()
        port = int(said.partition("http://127.0.0.1:")[2].partition("/")[0])
        body = json.dumps(valid())
        assert request(port, "POST", "/answers", body, {"Content-Type": "application/json"})[0] == 200
        process.send_signal(stop)
        rest = process.communicate(timeout=60)[1]
        assert process.returncode == 0
    assert "Traceback" not in rest
    assert "p1" not in rest  # who took part is not logged
    assert len(files(received)) == 1
