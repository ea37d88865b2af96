"""A small listening test, its page, a browser for it, and a server that takes its answers."""

import json
import threading
from contextlib import ExitStack, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from session_steps import SYSTEMS, TEXTS, settings_of
from window import DESKTOP, set_size

from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.listening_test import page as exported_page
from vocoder_pareto.listening_test.page import write_page
from vocoder_pareto.listening_test.planning import plan_test
from vocoder_pareto.study.sections.listening_test import DesignSettings, LoudnessSettings, PageSettings

NO_SETTINGS = PageSettings()


@pytest.fixture(scope="session")
def manifests(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    for index, system in enumerate(SYSTEMS):
        generator = np.random.default_rng(index)
        clips = {f"clip{number}": 0.1 * generator.normal(size=4800) for number in range(3)}
        write_audio_set(folder / system / "manifest.csv", list(clips), clips.values(), 16000, [None] * 3)
    return {system: folder / system / "manifest.csv" for system in SYSTEMS}


@pytest.fixture(scope="session")
def plan(manifests):
    design = DesignSettings(items=1, lists=1, participants=3, training=1, traps=1, gold=1, repeats=1)
    return plan_test(manifests, design, LoudnessSettings(), TEXTS, TEXTS.labels("paper"), seed=0)


@pytest.fixture
def page(plan, tmp_path_factory):
    """Write the page with some settings into a fresh folder, whose name has a space, and return its address.

    The folder outlives the test, as the page does: the browser shows it until the next test.
    """
    folder = tmp_path_factory.mktemp("the page")

    def write(settings=NO_SETTINGS, texts=TEXTS, query="?session=1&participant=p1"):
        write_page(plan, folder, settings_of(settings, texts))
        return (folder / "index.html").as_uri() + query

    write.folder = folder
    return write


@pytest.fixture
def afterwards():
    """What is to end once the browser's console has been read: a server that ends earlier resets connections."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def chrome(afterwards, browser, request):
    """The browser at one window size, with empty storage; afterwards the console must hold no error."""
    set_size(browser, *getattr(request, "param", DESKTOP))
    yield browser
    browser.execute_script("localStorage.clear()")
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


class Laboratory(ThreadingHTTPServer):  # Chromium opens connections that it does not use
    """Serves the page and takes its answers, with the troubles that it is told to have.

    Attributes:
        received: The answers that came.
        refusals: How many of the next answers are refused.
        answering: Cleared while it keeps silent about answers that come.
        held_back: Events by paths; a file at such a path is sent when the event is set.
    """

    def __init__(self, folder):
        self.received, self.refusals, self.answering, self.held_back = [], 0, threading.Event(), {}
        self.answering.set()
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=folder))

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def settings(self, **others):
        return PageSettings(submit_url=f"{self.address}/answers", **others)

    def close(self):
        for event in (self.answering, *self.held_back.values()):
            event.set()
        self.shutdown()
        self.server_close()


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path in self.server.held_back:
            self.server.held_back[self.path].wait()
        super().do_GET()

    def do_OPTIONS(self):
        self.reply(204)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.answering.wait()
        if self.server.refusals:
            self.server.refusals -= 1
            return self.reply(500)
        self.server.received.append(body)
        self.reply(200)

    def reply(self, status):
        self.send_response(status)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "Content-Type")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def copyfile(self, source, outputfile):
        with suppress(ConnectionError):  # the browser may have given up meanwhile
            super().copyfile(source, outputfile)

    def log_message(self, *_):
        pass


@pytest.fixture
def laboratory(page, afterwards):
    laboratory = Laboratory(page.folder)
    threading.Thread(target=laboratory.serve_forever, daemon=True).start()
    afterwards.callback(laboratory.close)
    return laboratory


@pytest.fixture
def impatient(monkeypatch):
    """Pages that give up soon what does not come."""
    monkeypatch.setattr(exported_page, "STALL_SECONDS", 0.5)
    monkeypatch.setattr(exported_page, "SEND_SECONDS", 0.5)
    monkeypatch.setattr(exported_page, "SEND_WAITS", (0, 0, 0))
