"""What axe-core, the outside, finds amiss with the screens before and at a sound: nothing, on a desk and on a phone.

Those of a session's end it judges in `test_sessions.py`.
"""

from session_steps import begin, find, shown
from window import DESKTOP, PHONE, set_size


def test_axe_finds_nothing_amiss_with_the_screens_of_a_session(chrome, page, wait, violations):
    def judge(screen):
        assert shown(chrome) == [screen]
        for size in (PHONE, DESKTOP):
            set_size(chrome, *size)
            assert violations(chrome) == [], (screen, size)

    chrome.get(page())
    judge("welcome")
    find(chrome, "#agreed").click()
    find(chrome, "#consent-form button").click()
    judge("instructions")
    find(chrome, "[data-action=volume]").click()
    judge("volume")
    begin(chrome, page(), wait)
    judge("trial")
