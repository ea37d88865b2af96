"""A test of pairs in a real browser, from its page through the receiver to what a laboratory reads."""

import threading
from dataclasses import asdict
from pathlib import Path

import pytest
from session_steps import SPACE, TEXTS, begin, find, may_score, press, settings_of
from window import NARROW

from vocoder_pareto.listening_test.paired_answers import read_paired_responses
from vocoder_pareto.listening_test.paired_export import export_paired_test
from vocoder_pareto.listening_test.paired_planning import plan_paired_test
from vocoder_pareto.listening_test.receiver import receiver
from vocoder_pareto.listening_test.wsgi_server import server_of
from vocoder_pareto.study.sections.listening_test import LoudnessSettings, PageSettings, PairedSettings


@pytest.fixture
def paired(manifests, tmp_path_factory):
    """Export a test of one pair with some settings of its page; the plan and the folder."""
    folder = tmp_path_factory.mktemp("paired")

    def export(scale, page_settings):
        settings = PairedSettings(pairs=(("griffin_lim", "melgan-S"),), scale=scale, items=1, participants=2)
        plan = plan_paired_test(manifests, settings, LoudnessSettings(), asdict(TEXTS), seed=0)
        files = (folder / "page", folder / "paired_key.json", folder / "invitations.csv")
        export_paired_test(plan, settings_of(page_settings), *files, alpha=0.05)
        return plan, folder

    return export


@pytest.mark.parametrize("chrome", [NARROW], indirect=True, ids=["narrow"])
def test_answers_to_pairs_arrive_at_the_receiver_and_read_back(chrome, paired, wait, tmp_path):
    _, folder = paired("cmos", PageSettings())
    received = tmp_path / "received"
    server = server_of(receiver(folder / "paired_key.json", received), "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        plan, _ = paired("cmos", PageSettings(submit_url=f"http://127.0.0.1:{server.server_port}/answers"))
        begin(chrome, (folder / "page" / "index.html").as_uri() + "?session=1&participant=p1", wait)
        assert "compared with the first" in find(chrome, "legend").text
        width, content = chrome.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
        assert content <= width
        given = []
        for key in "741":
            press(chrome, SPACE)
            wait(lambda: may_score(chrome))
            press(chrome, key)
            assert find(chrome, "#next").is_enabled()
            find(chrome, "#next").click()
            given.append(int(key) - 4)
        wait(lambda: "have arrived" in find(chrome, "#delivery").text)
    finally:
        server.shutdown()
        server.server_close()
    (received / "paired_key.json").write_bytes((folder / "paired_key.json").read_bytes())
    responses = read_paired_responses(received)
    assert not responses.rejected
    session = plan.key.session_by_number[1]
    assert len(given) == len(session.training) + len(session.trials)
    assert [each.rating for each in responses.preferences] == given
    assert 0 in given


def test_the_choice_of_two_shows_words_and_no_numbers(chrome, paired, wait):
    _, folder = paired("ab", PageSettings())
    begin(chrome, Path(folder / "page" / "index.html").as_uri(), wait)
    assert [tile.text for tile in chrome.find_elements("css selector", ".score")] == ["the first", "the second"]
    assert not find(chrome, "#ends").is_displayed()
    press(chrome, SPACE)
    wait(lambda: may_score(chrome))
    press(chrome, "2")
    assert "You chose the second" in find(chrome, "#status").text
