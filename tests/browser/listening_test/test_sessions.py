"""The page of the listening test in a real browser: whole sessions, from consent to answers that read back."""

import json
from dataclasses import replace

import pytest
from session_steps import (
    ENTER,
    RIGHT,
    SPACE,
    SYSTEMS,
    TAB,
    TEXTS,
    begin,
    current_sound,
    downloaded,
    find,
    finish_session,
    kept_session,
    may_score,
    press,
    rate_by_keys,
    right_score,
    settings_of,
    shown,
)
from window import DESKTOP, NARROW, PHONE

from vocoder_pareto.listening_test.key import write_key
from vocoder_pareto.listening_test.page import write_page
from vocoder_pareto.listening_test.responses import read_responses
from vocoder_pareto.listening_test.screening import screen
from vocoder_pareto.study.sections.listening_test import PageSettings, ScreeningSettings

PLAY_SLOWLY = """
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () { this.playbackRate = 0.1; return play.call(this); };
"""
HOSTILE = "</script><script>document.title='harmed'</script><img src=x onerror=\"document.title='harmed'\">"


def test_a_whole_session_with_a_reload_in_the_middle_reads_back(chrome, page, plan, wait, tmp_path, violations):
    begin(chrome, page(), wait)
    total = len(plan.key.session_by_number[1].training) + len(plan.key.session_by_number[1].trials)
    for _ in range(4):
        rate_by_keys(chrome, right_score(current_sound(chrome, plan)), wait)
    press(chrome, SPACE)  # leave in the middle of the fifth sound
    chrome.refresh()
    assert shown(chrome) == ["resume"]
    assert f"You have rated 4 of {total} sounds" in find(chrome, "#resume-text").text
    assert violations(chrome) == []
    find(chrome, "[data-action=resume]").click()
    assert finish_session(chrome, plan, wait) == total - 4
    assert shown(chrome) == ["finish"]
    assert violations(chrome) == []

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


@pytest.mark.slow
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
    kept = kept_session(chrome)
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
    kept = kept_session(chrome)
    assert kept["session"] in plan.key.session_by_number
    assert kept["participant"].startswith("anonymous-")


@pytest.mark.slow
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


def test_the_page_loads_nothing_from_elsewhere(chrome, page, wait):
    begin(chrome, page(), wait)
    loaded = chrome.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in loaded if not name.startswith("file:")] == []
