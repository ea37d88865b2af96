"""What goes wrong on the page of the listening test, in a real browser: tabs, people, sounds, and the way home."""

import json
import shutil
import threading
import time

import pytest
from session_steps import (
    ENTER,
    SPACE,
    SYSTEMS,
    begin,
    downloaded,
    find,
    finish_session,
    kept_session,
    may_score,
    press,
    rate_by_keys,
    shown,
)

from vocoder_pareto.listening_test import headphones
from vocoder_pareto.listening_test.key import write_key
from vocoder_pareto.listening_test.responses import read_responses
from vocoder_pareto.study.sections.listening_test import PageSettings

LINK = "/index.html?session=1&participant=p1"
QUICKLY = """
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () {
      window.lastSound = decodeURIComponent(this.src).split("/").pop().replace(".wav", "");
      this.playbackRate = 16;
      return play.call(this);
    };
"""


def read_back(folder, key, *answers):
    folder.mkdir()
    write_key(folder / "key.json", key)
    for number, each in enumerate(answers):
        (folder / f"{number}.json").write_text(json.dumps(each))
    return read_responses(folder, SYSTEMS)


def click(browser, selector):
    find(browser, selector).click()


# ------------------------------------------------------------ tabs and people


def test_a_session_goes_on_in_one_tab_and_no_tab_writes_over_another(chrome, page, plan, wait):
    begin(chrome, page(), wait)
    rate_by_keys(chrome, 3, wait)
    first = chrome.current_window_handle
    chrome.switch_to.new_window("tab")
    second = chrome.current_window_handle
    try:
        chrome.get(page())
        assert shown(chrome) == ["resume"]
        click(chrome, "[data-action=resume]")
        rate_by_keys(chrome, 4, wait)
        chrome.switch_to.window(first)
        wait(lambda: shown(chrome) == ["elsewhere"])
        click(chrome, "[data-action=take]")
        click(chrome, "[data-action=resume]")
        assert find(chrome, "#progress-text").text.startswith("2 /")
        rate_by_keys(chrome, 5, wait)
        chrome.switch_to.window(second)
        wait(lambda: shown(chrome) == ["elsewhere"])
        assert [rating["rating"] for rating in kept_session(chrome)["ratings"]] == [3, 4, 5]
    finally:
        chrome.switch_to.window(second)
        chrome.close()
        chrome.switch_to.window(first)


def test_two_links_on_one_device_do_not_meet(chrome, page, wait):
    begin(chrome, page(), wait)
    rate_by_keys(chrome, 3, wait)
    chrome.get(page(query="?session=2&participant=p2"))
    assert shown(chrome) == ["welcome"]
    chrome.get(page())
    assert shown(chrome) == ["resume"]


@pytest.mark.slow
def test_a_second_person_at_the_same_link_begins_anew_and_the_first_can_go_back(chrome, page, plan, wait):
    begin(chrome, page(), wait)
    finish_session(chrome, plan, wait)
    first = kept_session(chrome)
    chrome.refresh()
    assert shown(chrome) == ["finish"]
    click(chrome, "#anew")
    assert shown(chrome) == ["welcome"]
    second = kept_session(chrome)
    assert second["session"] == first["session"]
    assert second["participant"] not in ("", first["participant"])
    assert (second["submission_id"] != first["submission_id"], second["ratings"]) == (True, [])
    click(chrome, "#earlier-list button")
    assert shown(chrome) == ["finish"]
    assert downloaded(chrome, wait)["ratings"] == first["ratings"]


# --------------------------------------------------------------------- sounds


def test_a_sound_that_is_missing_can_be_tried_again(chrome, page, plan, wait):
    address = page()
    missing = page.folder / "stimuli" / f"{plan.key.session_by_number[1].trials[0]}.wav"
    shutil.move(missing, page.folder / "away.wav")
    begin(chrome, address, wait)
    rate_by_keys(chrome, 3, wait)
    press(chrome, SPACE)
    wait(find(chrome, "#notice").is_displayed)
    assert "could not be played" in find(chrome, "#notice").text
    shutil.move(page.folder / "away.wav", missing)
    rate_by_keys(chrome, 3, wait)
    assert find(chrome, "#progress-text").text.startswith("2 /")
    assert kept_session(chrome)["ratings"][1]["n_plays"] == 1
    chrome.get_log("browser")  # the missing file is an error there, as it must be


def test_a_sound_that_hangs_and_one_that_is_missing_cost_their_own_scores_alone(
    chrome, page, plan, laboratory, impatient, wait, tmp_path
):
    page(laboratory.settings())
    once = [name for name in plan.key.session_by_number[1].trials
            if plan.key.session_by_number[1].trials.count(name) == 1]  # fmt: skip
    laboratory.held_back[f"/stimuli/{once[0]}.wav"] = threading.Event()
    (page.folder / "stimuli" / f"{once[1]}.wav").unlink()
    begin(chrome, laboratory.address + LINK, wait)
    while shown(chrome) == ["trial"]:
        press(chrome, SPACE)
        wait(lambda: may_score(chrome) or find(chrome, "#skip").is_displayed())
        if may_score(chrome):
            press(chrome, "3")
            press(chrome, ENTER)
        else:
            assert "could not be played" in find(chrome, "#notice").text
            click(chrome, "#skip")
    wait(lambda: "have arrived" in find(chrome, "#delivery").text)
    responses = read_back(tmp_path / "responses", plan.key, *laboratory.received)
    assert not responses.rejected
    assert len(responses.ratings) == 5
    (submission,) = responses.submissions.values()
    assert (submission.n_planned, submission.n_answered, submission.n_skipped) == (7, 5, 2)
    assert not submission.is_partial
    chrome.get_log("browser")  # the missing file is an error there, as it must be


def test_the_time_for_a_score_begins_when_the_sound_can_be_played(chrome, page, plan, laboratory, wait):
    page(laboratory.settings())
    path = f"/stimuli/{plan.key.session_by_number[1].trials[1]}.wav"
    released = laboratory.held_back.setdefault(path, threading.Event())
    begin(chrome, laboratory.address + LINK, wait)
    rate_by_keys(chrome, 3, wait)
    rate_by_keys(chrome, 3, wait)
    press(chrome, SPACE)  # of the second trial, which does not come yet
    time.sleep(2)
    begun = time.monotonic()
    released.set()
    rate_by_keys(chrome, 3, wait)
    elapsed = time.monotonic() - begun
    assert 0 < kept_session(chrome)["ratings"][2]["time_ms"] <= 1000 * elapsed
    chrome.get_log("browser")  # a connection that is held back may be reset, and is tried again


# ------------------------------------------------------------------- delivery


def test_answers_are_sent_to_the_configured_address_once(chrome, page, plan, wait, laboratory):
    begin(chrome, page(laboratory.settings()), wait)
    finish_session(chrome, plan, wait)
    wait(lambda: "have arrived" in find(chrome, "#delivery").text)
    chrome.refresh()
    assert shown(chrome) == ["finish"]
    wait(lambda: "have arrived" in find(chrome, "#delivery").text)
    (answers,) = laboratory.received
    assert answers["test_id"] == plan.key.test_id
    assert len(answers["ratings"]) == 7


def test_answers_that_cannot_be_sent_can_be_sent_again_or_saved(chrome, page, plan, wait, laboratory, impatient):
    laboratory.refusals = 3
    begin(chrome, page(laboratory.settings(contact="lab@example.org")), wait)
    finish_session(chrome, plan, wait)
    wait(lambda: "could not be sent" in find(chrome, "#delivery").text)
    saved = downloaded(chrome, wait)
    mail = find(chrome, "#email a").get_attribute("href")
    assert mail.startswith("mailto:lab@example.org?subject=")
    laboratory.refusals = 1  # one more try is made by itself
    click(chrome, "#send")
    wait(lambda: "have arrived" in find(chrome, "#delivery").text)
    assert laboratory.received[0]["ratings"] == saved["ratings"]
    chrome.get_log("browser")  # the failed request is an error there, as it must be


@pytest.mark.slow
def test_an_address_that_keeps_silent_is_given_up_and_the_answers_can_be_saved(
    chrome, page, plan, wait, laboratory, impatient
):
    laboratory.answering.clear()
    begin(chrome, page(laboratory.settings()), wait)
    finish_session(chrome, plan, wait)
    wait(lambda: "could not be sent" in find(chrome, "#delivery").text)
    assert len(downloaded(chrome, wait)["ratings"]) == 7
    laboratory.answering.set()
    click(chrome, "#send")
    wait(lambda: "have arrived" in find(chrome, "#delivery").text)
    chrome.get_log("browser")


@pytest.mark.slow
def test_a_part_of_a_session_can_be_saved_and_sent_and_the_whole_counts_in_its_place(
    chrome, page, plan, wait, laboratory, tmp_path
):
    begin(chrome, page(laboratory.settings()), wait)
    for _ in range(3):
        rate_by_keys(chrome, 3, wait)
    click(chrome, "#pause")
    assert "You have rated 3 of 7 sounds" in find(chrome, "#finish-text").text
    assert len(downloaded(chrome, wait)["ratings"]) == 3
    click(chrome, "#send")
    wait(lambda: "3 of 7 sounds have arrived" in find(chrome, "#delivery").text)
    partial = read_back(tmp_path / "partial", plan.key, *laboratory.received)
    assert len(partial.ratings) == 3
    assert [submission.is_partial for submission in partial.submissions.values()] == [True]
    click(chrome, "#go-on")
    assert find(chrome, "#progress-text").text.startswith("3 /")
    finish_session(chrome, plan, wait)
    wait(lambda: "have arrived" in find(chrome, "#delivery").text)
    whole = read_back(tmp_path / "whole", plan.key, *laboratory.received)
    assert len(whole.ratings) == 7
    assert [row.sent_again for row in whole.rejected] == [True] * 3
    assert [submission.is_partial for submission in whole.submissions.values()] == [False]
    assert not whole.notes


@pytest.mark.slow
def test_what_a_link_tells_is_kept_and_leads_back_with_a_code(chrome, page, plan, wait, laboratory):
    back = "https://example.org/complete?cc={code}&who={PROLIFIC_PID}"
    settings = laboratory.settings(completion_code="C1 & 2", return_url=back)
    begin(chrome, page(settings, query="?session=1&PROLIFIC_PID=a%26b&STUDY_ID=s1&OTHER=no"), wait)
    finish_session(chrome, plan, wait)
    wait(find(chrome, "#completion").is_displayed)
    (answers,) = laboratory.received
    assert answers["ids"] == {"PROLIFIC_PID": "a&b", "STUDY_ID": "s1", "SESSION_ID": None}
    assert answers["participant"].startswith("anonymous-")
    assert "C1 & 2" in find(chrome, "#completion-code").text
    assert find(chrome, "#return").get_attribute("href") == "https://example.org/complete?cc=C1%20%26%202&who=a%26b"


def test_consent_names_what_the_link_tells_and_only_that(chrome, page):
    chrome.get(page(query="?session=1&PROLIFIC_PID=abc"))
    assert "(PROLIFIC_PID)" in find(chrome, "#consent").text
    chrome.get(page(query="?session=1"))
    assert "PROLIFIC_PID" not in find(chrome, "#consent").text


# ----------------------------------------------------------------- headphones


def choose_tones(browser, page_test, choose, wait):
    """Answer the sounds of the check by `choose`, which is given the place of the quietest tone."""
    quietest = {sound["name"]: sound["quietest"] for sound in page_test["headphones"]["sounds"]}
    for _ in quietest:
        click(browser, "#headphones .play")
        wait(find(browser, "[data-tone='1']").is_enabled)
        place = choose(quietest[browser.execute_script("return window.lastSound")])
        click(browser, f"[data-tone='{place}']")


@pytest.mark.slow
def test_who_hears_the_quietest_tone_goes_on_and_who_does_not_twice_is_sent_away(chrome, page, wait, monkeypatch):
    monkeypatch.setattr(headphones, "ORDERS", headphones.ORDERS[1:3])  # two of six, to save time
    monkeypatch.setattr(headphones, "ENOUGH", 2)
    added = chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": QUICKLY})
    try:
        begin(chrome, page(PageSettings(headphone_check="require")), wait)
        page_test = json.loads(chrome.execute_script("return document.getElementById('test').textContent"))
        choose_tones(chrome, page_test, lambda place: place % 3 + 1, wait)  # all wrong
        assert shown(chrome) == ["headphones"]
        assert "put your headphones on" in find(chrome, "#notice").text
        choose_tones(chrome, page_test, lambda place: place, wait)
        assert shown(chrome) == ["trial"]
        assert kept_session(chrome)["headphone_scores"] == [0, 2]
        chrome.get(page(PageSettings(headphone_check="require"), query="?session=2"))
        begin(chrome, chrome.current_url, wait)
        for _ in range(2):
            choose_tones(chrome, page_test, lambda place: place % 3 + 1, wait)
        assert shown(chrome) == ["no-headphones"]
    finally:
        chrome.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
