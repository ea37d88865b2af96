"""What a participant does on the page of the listening test, step by step."""

import json
from dataclasses import replace
from pathlib import Path

from vocoder_pareto.listening_test.platform import ExportSettings
from vocoder_pareto.listening_test.texts import read_texts

TEMPLATES = Path(__file__).resolve().parents[3] / "resources" / "listening_test"
SYSTEMS = ("ground_truth", "griffin_lim", "melgan-S")
TEXTS = replace(read_texts(TEMPLATES / "texts.json"), trap_sentence="{score}")  # brief, to save time
SPACE, ENTER, TAB, RIGHT = " ", "\ue007", "\ue004", "\ue014"


def settings_of(page, texts=TEXTS):
    return ExportSettings(texts, page, TEMPLATES, p808_base_url="")


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


def kept_session(browser):
    return json.loads(browser.execute_script("return Object.values(localStorage)[0]"))["session"]


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
