"""A headless Chromium for the tests of pages; without one they are skipped.

They are a group of pytest-xdist: one worker starts one browser, and while it waits for pages, the others compute.
"""

import shutil
import time
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A Chromium of its own profile that may play sound without a gesture and saves downloads to a known folder."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("needs Chromium and its driver: apt-get install chromium chromium-driver")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
        "--autoplay-policy=no-user-gesture-required", "--mute-audio", "--force-device-scale-factor=1",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    chrome = webdriver.Chrome(options=options, service=service)
    chrome.downloads = tmp_path_factory.mktemp("downloads")
    chrome.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(chrome.downloads)})
    # A page without focus gets no focus events, and newer headless versions give it none.
    chrome.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
    yield chrome
    chrome.quit()


@pytest.fixture
def wait():
    """Call until a condition holds; fail after minutes, which only a page that hangs takes."""

    def until(condition, seconds: float = 300.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.05)
        pytest.fail("the condition did not come true in time")

    return until


@pytest.fixture
def violations():
    """What axe-core finds amiss with the page that a browser shows: a line per rule and element."""
    from selenium_axe_python import Axe

    def found(browser):
        axe = Axe(browser)
        axe.inject()
        broken = axe.run()["violations"]
        return [f"{rule['id']}: {' '.join(map(str, node['target']))}" for rule in broken for node in rule["nodes"]]

    return found
