"""The page of the listening test in a real browser: whole sessions, from consent to answers that read back."""

import json
import shutil
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.listening_test.key import write_key
from vocoder_pareto.listening_test.page import write_page
from vocoder_pareto.listening_test.planning import plan_test
from vocoder_pareto.listening_test.platform import ExportSettings
from vocoder_pareto.listening_test.responses import read_responses
from vocoder_pareto.listening_test.screening import screen
from vocoder_pareto.listening_test.texts import read_texts
from vocoder_pareto.study.sections.listening_test import (
    DesignSettings,
    LoudnessSettings,
    PageSettings,
    ScreeningSettings,
)

TEMPLATES = Path(__file__).resolve().parents[2] / "resources" / "listening_test"
SYSTEMS = ("ground_truth", "griffin_lim", "melgan-S")
TEXTS = replace(read_texts(TEMPLATES / "texts.json"), trap_sentence="{score}")  # brief, to save time
NO_SETTINGS = PageSettings()
SPACE, ENTER, TAB, RIGHT = " ", "\ue007", "\ue004", "\ue014"
DESKTOP, PHONE, NARROW = (1280, 900), (390, 844), (320, 640)
PLAY_SLOWLY = """
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () { this.playbackRate = 0.1; return play.call(this); };
"""
HOSTILE = "</script><script>document.title='harmed'</script><img src=x onerror=\"document.title='harmed'\">"


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    for index, system in enumerate(SYSTEMS):
        generator = np.random.default_rng(index)
        clips = {f"clip{number}": 0.1 * generator.normal(size=4800) for number in range(3)}
        write_audio_set(folder / system / "manifest.csv", list(clips), clips.values(), 16000, [None] * 3)
    design = DesignSettings(items=1, lists=1, participants=3, training=1, traps=1, gold=1, repeats=1)
    manifests = {system: folder / system / "manifest.csv" for system in SYSTEMS}
    return plan_test(manifests, design, LoudnessSettings(), TEXTS, TEXTS.labels("paper"), seed=0)


def settings_of(page, texts=TEXTS):
    return ExportSettings(texts, page, TEMPLATES, p808_base_url="")


@pytest.fixture
def page(plan, tmp_path_factory):
    """Write the page with some settings into a fresh folder, whose name has a space, and return its address.

    The folder outlives the test, as the page does: the browser shows it until the next test.
    """
    folder = tmp_path_factory.mktemp("the page")

    def write(settings=NO_SETTINGS, texts=TEXTS, query="?session=1&participant=p1"):
        write_page(plan, folder, settings_of(settings, texts))
        return (folder / "index.html").as_uri() + query

    return write


@pytest.fixture
def chrome(browser, request):
    """The browser at one window size, with empty storage; afterwards the console must hold no error."""
    set_size(browser, *getattr(request, "param", DESKTOP))
    yield browser
    browser.execute_script("localStorage.clear()")
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def set_size(browser, width, height):
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def find(browser, selector):
    return browser.find_element("css selector", selector)


def press(browser, key):
    from selenium.webdriver import ActionChains

    ActionChains(browser).send_keys(key).perform()


def shown(browser):
    return [section.get_attribute("id") for section in browser.find_elements("css selector", "main > section")
            if section.is_displayed()]  # fmt: skip


def begin(browser, address, wait):
    """From the first screen to the first sound, by clicks."""
    browser.get(address)
    find(browser, "#agreed").click()
    find(browser, "#consent-form button").click()
    find(browser, "[data-action=volume]").click()
    find(browser, "#volume .play").click()
    find(browser, "#device option[value=headphones]").click()
    wait(find(browser, "[data-action=trials]").is_enabled)
    find(browser, "[data-action=trials]").click()


def may_score(browser):
    return not browser.execute_script("return document.getElementById('scale').disabled")


def rate_by_keys(browser, score, wait):
    press(browser, SPACE)
    wait(lambda: may_score(browser))
    press(browser, str(score))
    press(browser, ENTER)


def current_sound(browser, plan):
    """The stimulus on show, found by the progress, as the experimenter's key knows it."""
    done = int(find(browser, "#progress-text").text.split(" / ")[0])
    session = plan.key.session_by_number[1]
    return plan.key.stimulus_by_name[(*session.training, *session.trials)[done]]


def right_score(stimulus):
    return stimulus.expected or {"ground_truth": 5, "griffin_lim": 2, "melgan-S": 3}[stimulus.system]


def finish_session(browser, plan, wait):
    """Rate all that is left by keys, as a careful listener, and return how many that were."""
    count = 0
    while shown(browser) == ["trial"]:
        rate_by_keys(browser, right_score(current_sound(browser, plan)), wait)
        count += 1
    return count


def downloaded(browser, wait):
    find(browser, "#download").click()
    path = browser.downloads / "listening-test_p1_1.json"
    wait(lambda: path.exists() and path.stat().st_size > 0)  # Chromium makes an empty file first
    answers = json.loads(path.read_text())
    path.unlink()
    return answers


def test_a_whole_session_with_a_reload_in_the_middle_reads_back(chrome, page, plan, wait, tmp_path):
    begin(chrome, page(), wait)
    total = len(plan.key.session_by_number[1].training) + len(plan.key.session_by_number[1].trials)
    for _ in range(4):
        rate_by_keys(chrome, right_score(current_sound(chrome, plan)), wait)
    press(chrome, SPACE)  # leave in the middle of the fifth sound
    chrome.refresh()
    assert shown(chrome) == ["resume"]
    assert f"You have rated 4 of {total} sounds" in find(chrome, "#resume-text").text
    find(chrome, "[data-action=resume]").click()
    assert finish_session(chrome, plan, wait) == total - 4
    assert shown(chrome) == ["finish"]

    answers = downloaded(chrome, wait)
    assert (answers["reloads"], answers["listening_device"], answers["simulated"]) == (1, "headphones", False)
    folder = tmp_path / "responses"
    folder.mkdir()
    (folder / "p1.json").write_text(json.dumps(answers))
    write_key(folder / "key.json", plan.key)
    responses = read_responses(folder, SYSTEMS)
    assert responses.mos_source == "listening_test"
    assert not responses.rejected
    assert len(responses.ratings) == total
    assert [rating.trial_index for rating in responses.ratings] == list(range(total))
    assert all(rating.played_to_end and rating.n_plays >= 1 and rating.time_ms > 0 for rating in responses.ratings)
    counting, (report,) = screen(responses.ratings, ScreeningSettings())
    assert report.kept, report.reasons
    assert {(rating.system, rating.rating) for rating in counting} == {
        ("ground_truth", 5), ("griffin_lim", 2), ("melgan-S", 3)
    }  # fmt: skip


def test_the_finished_session_is_still_there_after_a_reload(chrome, page, plan, wait):
    begin(chrome, page(), wait)
    finish_session(chrome, plan, wait)
    first = downloaded(chrome, wait)
    chrome.refresh()
    assert shown(chrome) == ["finish"]
    again = downloaded(chrome, wait)
    assert (again["ratings"], again["submission_id"]) == (first["ratings"], first["submission_id"])


@pytest.mark.parametrize("chrome", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_clicks_alone_rate_a_sound(chrome, page, wait):
    begin(chrome, page(), wait)
    find(chrome, "#trial .play").click()
    wait(lambda: may_score(chrome))
    find(chrome, "#scores .score:nth-child(4)").click()
    assert "You chose 4" in find(chrome, "#status").text
    find(chrome, "#next").click()
    assert find(chrome, "#progress-text").text.startswith("1 /")


def test_no_score_is_taken_before_the_end_of_the_sound(chrome, page, wait):
    begin(chrome, page(), wait)
    chrome.execute_script(PLAY_SLOWLY)
    press(chrome, "3")
    press(chrome, ENTER)  # plays, as the button has the focus
    press(chrome, "4")
    assert not may_score(chrome)
    assert not find(chrome, "#next").is_enabled()
    wait(lambda: may_score(chrome))
    assert chrome.find_elements("css selector", "#scores input:checked") == []
    press(chrome, ENTER)
    assert find(chrome, "#progress-text").text.startswith("0 /")


def test_the_score_may_be_changed_and_the_sound_played_again(chrome, page, wait):
    begin(chrome, page(), wait)
    press(chrome, SPACE)
    wait(lambda: may_score(chrome))
    press(chrome, "2")
    press(chrome, SPACE)
    wait(lambda: find(chrome, "#trial .play-text").text == "Play again")
    press(chrome, "5")
    press(chrome, ENTER)
    kept = json.loads(chrome.execute_script("return Object.values(localStorage)[0]"))
    (rating,) = kept["ratings"]
    assert (rating["rating"], rating["n_plays"], rating["is_training"]) == (5, 2, True)


def test_arrow_keys_choose_within_the_scale(chrome, page, wait):
    begin(chrome, page(), wait)
    press(chrome, SPACE)
    wait(lambda: may_score(chrome))
    press(chrome, "2")
    chrome.execute_script("document.querySelector('#scores input:checked').focus()")
    press(chrome, RIGHT)
    assert "You chose 3" in find(chrome, "#status").text


def test_consent_and_volume_come_before_the_sounds(chrome, page, wait):
    chrome.get(page())
    assert shown(chrome) == ["welcome"]
    assert find(chrome, "#code").get_attribute("value") == "p1"
    assert not find(chrome, "#consent-form button").is_enabled()
    find(chrome, "#agreed").click()
    find(chrome, "#consent-form button").click()
    assert shown(chrome) == ["instructions"]
    find(chrome, "[data-action=volume]").click()
    find(chrome, "#device option[value=headphones]").click()
    assert not find(chrome, "[data-action=trials]").is_enabled()  # the sound was not heard yet
    find(chrome, "#volume .play").click()
    wait(find(chrome, "[data-action=trials]").is_enabled)


def test_practice_is_marked_and_its_end_is_said(chrome, page, wait):
    begin(chrome, page(), wait)
    assert find(chrome, "#practice-badge").is_displayed()
    rate_by_keys(chrome, 3, wait)
    assert not find(chrome, "#practice-badge").is_displayed()
    assert "The practice is over" in find(chrome, "#status").text


def test_the_focus_follows_the_task_and_every_control_has_a_name(chrome, page, wait):
    begin(chrome, page(), wait)
    assert chrome.switch_to.active_element.get_attribute("class") == "play"
    press(chrome, SPACE)
    wait(lambda: may_score(chrome))
    press(chrome, TAB)
    assert chrome.switch_to.active_element.get_attribute("name") == "score"
    press(chrome, "2")
    press(chrome, TAB)
    assert chrome.switch_to.active_element.get_attribute("id") == "next"
    tree = chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    controls = [node for node in tree if node.get("role", {}).get("value") in ("button", "radio", "progressbar")]
    names = [node["name"]["value"] for node in controls if not node.get("ignored")]
    assert all(names)
    assert {"Play again", "1, bad", "3", "5, perfect", "Next"} <= set(names)


@pytest.mark.parametrize("chrome", [NARROW, PHONE, DESKTOP], indirect=True, ids=["narrow", "phone", "desktop"])
@pytest.mark.parametrize("scale", ["paper", "acr"])
def test_nothing_is_cut_off_and_everything_can_be_touched(chrome, plan, wait, tmp_path_factory, scale):
    folder = tmp_path_factory.mktemp("page")
    write_page(replace(plan, key=replace(plan.key, labels=TEXTS.labels(scale))), folder, settings_of(PageSettings()))
    begin(chrome, (folder / "index.html").as_uri(), wait)
    width, content = chrome.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
    assert content <= width
    for target in chrome.find_elements("css selector", "#trial .play, .score, #next"):
        assert min(target.size["width"], target.size["height"]) >= 44
    tiles = "[...document.querySelectorAll('.score span')]"
    assert chrome.execute_script(f"return {tiles}.filter((tile) => tile.scrollWidth > tile.clientWidth).length") == 0


def test_texts_stay_texts(chrome, page):
    hostile = replace(TEXTS, title=HOSTILE, welcome=(HOSTILE,), page={**TEXTS.page, "begin": HOSTILE})
    chrome.get(page(texts=hostile, query=f"?participant={HOSTILE}"))
    assert chrome.title == HOSTILE
    assert find(chrome, "#consent-form button").text == HOSTILE
    assert chrome.find_elements("css selector", "img") == []


def test_a_link_to_no_session_says_so(chrome, page):
    chrome.get(page(query="?session=99"))
    assert shown(chrome) == []
    assert "there is no session 99" in find(chrome, "#notice").text


def test_without_a_link_a_session_and_an_anonymous_code_are_drawn(chrome, page, plan):
    chrome.get(page(query=""))
    kept = json.loads(chrome.execute_script("return Object.values(localStorage)[0]"))
    assert kept["session"] in plan.key.session_by_number
    assert kept["participant"].startswith("anonymous-")


def test_two_participants_on_one_device_do_not_meet(chrome, page, wait):
    begin(chrome, page(), wait)
    rate_by_keys(chrome, 3, wait)
    chrome.get(page(query="?session=2&participant=p2"))
    assert shown(chrome) == ["welcome"]
    chrome.get(page())
    assert shown(chrome) == ["resume"]


def test_a_sound_that_is_missing_can_be_tried_again(chrome, page, plan, wait):
    address = page()
    folder = Path(unquote(urlsplit(address).path)).parent
    missing = folder / "stimuli" / f"{plan.key.session_by_number[1].trials[0]}.wav"
    shutil.move(missing, folder / "away.wav")
    begin(chrome, address, wait)
    rate_by_keys(chrome, 3, wait)
    press(chrome, SPACE)
    wait(find(chrome, "#notice").is_displayed)
    assert "could not be played" in find(chrome, "#notice").text
    shutil.move(folder / "away.wav", missing)
    rate_by_keys(chrome, 3, wait)
    assert find(chrome, "#progress-text").text.startswith("2 /")
    kept = json.loads(chrome.execute_script("return Object.values(localStorage)[0]"))
    assert kept["ratings"][1]["n_plays"] == 1
    chrome.get_log("browser")  # the missing file is an error there, as it must be


def test_a_browser_that_keeps_nothing_warns_and_goes_on(chrome, page, plan, wait):
    script = "Storage.prototype.setItem = () => { throw new Error('full'); }"
    added = chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        begin(chrome, page(), wait)
        assert "does not keep your progress" in find(chrome, "#notice").text
        finish_session(chrome, plan, wait)
        assert len(downloaded(chrome, wait)["ratings"]) == 7
    finally:
        chrome.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


class Receiver(BaseHTTPRequestHandler):
    """Takes answers as a server of an experimenter would; the first one fails if told so."""

    received: list
    fail_first: bool

    def do_OPTIONS(self):
        self.reply(204)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if type(self).fail_first:
            type(self).fail_first = False
            return self.reply(500)
        type(self).received.append(json.loads(body))
        self.reply(200)

    def reply(self, status):
        self.send_response(status)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "Content-Type")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    Receiver.received, Receiver.fail_first = [], False
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)  # Chromium opens connections that it does not use
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/answers"
    server.shutdown()


def test_answers_are_sent_to_the_configured_address_once(chrome, page, plan, wait, server):
    begin(chrome, page(PageSettings(submit_url=server)), wait)
    finish_session(chrome, plan, wait)
    wait(lambda: "have arrived" in find(chrome, "#delivery").text)
    chrome.refresh()
    assert shown(chrome) == ["finish"]
    wait(lambda: "have arrived" in find(chrome, "#delivery").text)
    (answers,) = Receiver.received
    assert answers["test_id"] == plan.key.test_id
    assert len(answers["ratings"]) == 7


def test_answers_that_cannot_be_sent_can_be_sent_again_or_saved(chrome, page, plan, wait, server):
    Receiver.fail_first = True
    begin(chrome, page(PageSettings(submit_url=server, contact="lab@example.org")), wait)
    finish_session(chrome, plan, wait)
    wait(lambda: "could not be sent" in find(chrome, "#delivery").text)
    saved = downloaded(chrome, wait)
    mail = find(chrome, "#email a").get_attribute("href")
    assert mail.startswith("mailto:lab@example.org?subject=")
    find(chrome, "#send").click()
    wait(lambda: "have arrived" in find(chrome, "#delivery").text)
    assert Receiver.received[0]["ratings"] == saved["ratings"]
    chrome.get_log("browser")  # the failed request is an error there, as it must be


def test_the_page_loads_nothing_from_elsewhere(chrome, page, wait):
    begin(chrome, page(), wait)
    loaded = chrome.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in loaded if not name.startswith("file:")] == []
