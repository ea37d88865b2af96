"""The page of the leaderboard in a real browser, with the sets that the project holds."""

from pathlib import Path

import pytest
from window import DESKTOP, PHONE, set_size

from vocoder_pareto.analysis import leaderboard as boards
from vocoder_pareto.analysis.figure_style import drawing, svg_of
from vocoder_pareto.analysis.leaderboard_figure import draw_leaderboard, leaderboard_figure_table
from vocoder_pareto.analysis.leaderboard_page import leaderboard_html
from vocoder_pareto.study.sections.analysis import FigureSettings

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
REFERENCE = "hifigan-L"


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    sets = [boards.read_stored_set(file.parent) for file in sorted((RESOURCES / "measured").glob("*/set.json"))]
    table = boards.leaderboard_table(sets, REFERENCE)
    settings = FigureSettings()
    with drawing(settings):
        picture = svg_of(draw_leaderboard(leaderboard_figure_table(table, REFERENCE, {}), settings))
    template = RESOURCES / "leaderboard" / "page.html"
    written = leaderboard_html(sets, table, boards.rank_agreement(sets), REFERENCE, {}, template, picture)
    path = tmp_path_factory.mktemp("leaderboard") / "index.html"
    path.write_text(written, encoding="utf-8")
    return path


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_amiss_and_the_page_does_not_scroll_sideways(page, browser, violations, size):
    set_size(browser, *size)
    browser.get(page.as_uri())
    assert len(browser.find_elements("css selector", "#energy ~ .scroll tbody tr")) >= 18
    assert violations(browser) == []
    width, content = browser.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
    assert content <= width
