"""The report page in a real browser: it plays, switches, sorts and changes axes, without errors and without network."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from window import DESKTOP, PHONE, set_size

from vocoder_pareto.analysis.figure_style import marker_of
from vocoder_pareto.analysis.report import ReportInputs, build_report
from vocoder_pareto.analysis.systems_table import FRONTS, with_fronts
from vocoder_pareto.audio.dataset_summary import DatasetSummary
from vocoder_pareto.study.provenance import provenance_of
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.settings import plain
from vocoder_pareto.tables.columns import SYSTEMS_COLUMNS
from vocoder_pareto.tables.csv_tables import read_systems, typed, write_table

PROJECT = Path(__file__).resolve().parents[2]
DATASET = DatasetSummary(
    recordings=12, used=11, train=8, test=2, split="tail", skipped=1, unreadable={".m4a": 3}, other_files={},
    several_channels=0, channels="mix", padding_share=0.0, little_sound={"LJ<b>": "silent"}, little_sound_of_test=1,
)  # fmt: skip
LABELS = {"melgan": "MelGAN", "hifigan": "HiFi-GAN"}
HOSTILE = "</script><script>document.title='harmed'</script><img src=x onerror=\"document.title='harmed'\">"


def write_systems(rows: pd.DataFrame, path: Path) -> None:
    """Write `systems.csv` with its fronts found."""
    write_table(with_fronts(typed(rows, SYSTEMS_COLUMNS, "the test"), FRONTS), path)


def write_inputs(folder: Path) -> ReportInputs:
    rows = [{"system": "ground_truth", "model": "ground_truth", "size": "", "family": "reference", "mos": 4.34}]
    costs = {"melgan-S": (1.37, 0.5), "melgan-L": (2.22, 0.95), "hifigan-S": (3.9, 0.6), "hifigan-L": (4.12, 0.97)}
    for name, (mos, energy) in costs.items():
        model, size = name.split("-")
        row = {"system": name, "model": model, "size": size, "family": "gan", "mos": mos, "mos_source": "published"}
        rows.append(row | {
            "energy_joules_per_audio_second": energy, "energy_source": "estimated", "device": HOSTILE,
            "energy_joules_per_audio_second_ci95": 0.2 if name == "melgan-L" else None,
            "parameters": 10**6 * (1 + len(rows)), "training_steps": 2, "training_seconds": 3.5,
            "d_stft": 0.2,
        })  # fmt: skip
    table = pd.DataFrame(rows)
    write_systems(table, folder / "systems.csv")
    manifests = []
    for index, name in enumerate(table["system"]):
        generated = folder / "generated" / name
        generated.mkdir(parents=True)
        time = np.arange(3 * 16000) / 16000
        for clip in ("LJ001", "LJ002"):
            soundfile.write(generated / f"{clip}.wav", 0.3 * np.sin(2 * np.pi * (300 + 100 * index) * time), 16000)
        pd.DataFrame({"clip_id": ["LJ001", "LJ002"], "file": ["LJ001.wav", "LJ002.wav"]}).to_csv(
            generated / "manifest.csv", index=False
        )
        manifests.append(generated / "manifest.csv")
    config = {
        "dataset": {"source": "synthetic", "clip_seconds": 1.024, "test_share": 0.2},
        "front_ends": {"paper": plain(FrontEndSettings())}, "evaluation": {"sample_rate": 16000},
        "energy": {"clips": 1}, "training": {"steps": 2},
    }  # fmt: skip
    provenance = json.loads(json.dumps(provenance_of(config, PROJECT)))
    return ReportInputs(
        folder / "systems.csv", manifests, [], DATASET, provenance, PROJECT / "resources" / "report", LABELS,
        FigureSettings(),
        {"melgan-S": ["wide_interval", "generator_collapse"], "melgan-L": ["wide_interval", "weights_give_noise"]},
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report page")
    build_report(write_inputs(folder), folder / "report" / "index.html", clips_limit=10)
    return folder / "report" / "index.html"


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def open_page(request, page, browser):
    set_size(browser, *request.param)
    browser.get(page.as_uri())
    yield browser
    errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert errors == []


def test_intervals_are_drawn_and_an_energy_to_doubt_is_marked_where_it_stands(open_page):
    """MelGAN L has an interval of its energy, 0.95 ± 0.2 J; MelGAN S and L are flagged."""
    intervals = open_page.find_elements("css selector", "#scatter .interval")
    assert len(intervals) == 1
    left, right = (float(intervals[0].get_attribute(name)) for name in ("x1", "x2"))
    assert left < right
    names = [text.text for text in open_page.find_elements("css selector", "#scatter .name")]
    assert sorted(names) == ["HiFi-GAN L", "HiFi-GAN S", "MelGAN L†", "MelGAN S†"]
    cells = [cell for cell in open_page.find_elements("css selector", "#systems td") if "†" in cell.text]
    assert {cell.text: cell.get_attribute("title") for cell in cells} == {
        "0.5†": "wide interval", "0.95†": "wide interval",
    }  # fmt: skip
    notes = open_page.find_element("css selector", ".sources").text
    assert "Energies to doubt: † wide interval: MelGAN S, MelGAN L." in notes


def test_the_page_draws_the_front_and_says_where_numbers_come_from(open_page):
    assert len(open_page.find_elements("css selector", "#scatter .system")) == 4
    summary = open_page.find_element("id", "scatter-summary").text
    assert summary == "Pareto optimal among 4 systems: MelGAN S, HiFi-GAN S, HiFi-GAN L."
    notes = open_page.find_element("css selector", ".sources").text
    assert "estimated" in notes
    assert "published" in notes
    assert "briefly trained" in notes
    assert "Dataset: clips for training: 8, for the test: 2 (the last in sorted order), recordings skipped: 1" in notes
    assert "convert them to FLAC): 3 .m4a" in notes
    assert "(digital silence: 1, LJ<b>)" in notes


def test_the_markers_of_the_page_are_those_of_the_figures(page):
    data = page.read_text(encoding="utf-8").partition('<script type="application/json" id="data">')[2]
    systems = json.loads(data.partition("</script>")[0])["systems"]
    markers = {row["model"]: row["marker"] for row in systems if row["family"] != "reference"}
    assert markers == {model: marker_of(model, LABELS, LABELS) for model in LABELS} == {"melgan": "o", "hifigan": "s"}


def test_text_from_tables_is_no_markup(page):
    written = page.read_text(encoding="utf-8")
    assert "harmed" in written
    assert HOSTILE not in written
    assert "<img src=x" not in written


def test_what_is_amiss_is_told(open_page):
    notes = open_page.find_element("css selector", ".sources").text
    assert "The generator has collapsed: MelGAN S" in notes
    assert "The given weights generate noise: MelGAN L" in notes
    methods = open_page.find_element("id", "methods").text
    assert "wide_interval: MelGAN S, MelGAN L; generator_collapse: MelGAN S; weights_give_noise: MelGAN L." in methods


def test_no_name_covers_another(open_page):
    for axis in ("x", "y"):  # where MelGAN L and HiFi-GAN L are close together
        chosen = f"#{axis}-column option[value=energy_joules_per_audio_second]"
        open_page.find_element("css selector", chosen).click()
    overlaps = """
        const boxes = [...document.querySelectorAll("#scatter .name")].map((name) => name.getBoundingClientRect());
        const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
        return [boxes.length, boxes.some((a, i) => boxes.some((b, k) => i < k && meet(a, b)))];
    """
    assert open_page.execute_script(overlaps) == [4, False]


def test_other_axes_change_the_front(open_page):
    axis = open_page.find_element("id", "y-column")
    axis.find_element("css selector", "option[value=parameters]").click()
    assert open_page.find_element("id", "scatter-summary").text.endswith("4 systems: MelGAN S.")
    open_page.find_element("css selector", "#x-scale option[value=linear]").click()
    assert len(open_page.find_elements("css selector", "#scatter .system")) == 4


def test_pointing_at_a_system_shows_its_numbers(open_page):
    system = open_page.find_element("css selector", "[data-system=hifigan-S]")
    open_page.execute_script("arguments[0].focus()", system)
    text = open_page.find_element("id", "tooltip").text
    assert "HiFi-GAN S" in text
    assert "3.9" in text


WORDS_ON_TWO_LINES = """
    const walker = document.createTreeWalker(document.getElementById("tooltip"), NodeFilter.SHOW_TEXT), broken = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode())
      for (const word of node.data.matchAll(/[^\\s-]+/g)) {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map((line) => line.top)).size > 1) broken.push(word[0]);
      }
    return broken;
"""


def test_what_is_told_of_a_system_covers_neither_it_nor_breaks_a_word(open_page):
    """Beside the mark, within the plot; on a phone below the plot."""
    for system in open_page.find_elements("css selector", "#scatter .system"):
        open_page.execute_script("arguments[0].focus()", system)
        told, plot, mark = open_page.execute_script(  # at once: the page may be scrolling
            "const boxed = (each) => each.getBoundingClientRect().toJSON();"
            "return [tooltip, scatter, arguments[0].querySelector('.mark')].map(boxed)",
            system,
        )
        assert told["width"] > 100
        if open_page.execute_script("return innerWidth") < 500:
            assert told["top"] >= plot["bottom"]
        else:
            apart = told["left"] >= mark["right"] or told["right"] <= mark["left"]
            assert apart or told["top"] >= mark["bottom"] or told["bottom"] <= mark["top"]
            assert plot["left"] <= told["left"]
            assert told["right"] <= plot["right"]
            assert told["bottom"] <= plot["bottom"] + 1
        assert open_page.execute_script(WORDS_ON_TWO_LINES) == []


def test_a_click_on_a_system_plays_it_and_another_cell_goes_on_at_the_same_position(open_page, wait):
    system = open_page.find_element("css selector", "[data-system=hifigan-S] .mark")
    open_page.execute_script("arguments[0].scrollIntoView({block: 'center'})", system)
    open_page.execute_script("arguments[0].parentNode.dispatchEvent(new MouseEvent('click'))", system)
    wait(lambda: open_page.execute_script("return current && current.audio.currentTime > 0.3"))
    assert "HiFi-GAN S, LJ001. Trained for 2 steps" in open_page.find_element("css selector", "figcaption").text
    button = open_page.find_element("css selector", "[aria-label='Play Ground truth, LJ001']")
    open_page.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", button)
    assert open_page.execute_script("return current.system.system") == "ground_truth"
    assert open_page.execute_script("return current.audio.currentTime") >= 0.3
    playing = open_page.find_elements("css selector", "#grid [aria-pressed=true]")
    assert [cell.get_attribute("aria-label") for cell in playing] == ["Play Ground truth, LJ001"]
    open_page.execute_script("document.getElementById('stop').click()")
    assert open_page.execute_script("return current === null")


def test_the_table_sorts_both_ways_with_missing_values_last(open_page):
    def first_cells():
        rows = open_page.find_elements("css selector", "#systems tbody tr")
        return [row.find_element("css selector", "td").text for row in rows]

    def click_energy():
        for button in open_page.find_elements("css selector", "#systems th button"):
            if button.text.startswith("Energy per second"):
                open_page.execute_script("arguments[0].click()", button)
                return

    click_energy()
    assert first_cells() == ["MelGAN S", "HiFi-GAN S", "MelGAN L", "HiFi-GAN L", "Ground truth"]
    click_energy()
    assert first_cells() == ["HiFi-GAN L", "MelGAN L", "HiFi-GAN S", "MelGAN S", "Ground truth"]


def test_the_answer_stands_before_the_plot_and_its_state_beside_it(open_page):
    """0.97 J / 0.6 J, and 4.12 - 3.9 of MOS: written out here."""
    answer = open_page.find_element("css selector", ".answer").text
    assert "of 4 systems, 3 are Pareto optimal: MelGAN S, HiFi-GAN S and HiFi-GAN L." in answer
    assert answer.replace("\u00a0", " ").endswith("HiFi-GAN L costs 1.6 times HiFi-GAN S, for +0.22 MOS.")
    assert "All 4 energies are estimated, not measured." in open_page.find_element("css selector", ".state").text
    places = [open_page.find_element("css selector", name).location["y"] for name in (".answer", ".state", "#scatter")]
    assert places == sorted(places)


def test_a_reader_finds_systems_by_name_and_sees_all_columns_on_demand(open_page):
    search, boxes = open_page.find_element("id", "filter"), open_page.find_element("id", "all-columns")
    search.send_keys("hifi")
    rows = open_page.find_elements("css selector", "#systems tbody tr")
    assert [row.find_element("css selector", "td").text for row in rows] == ["HiFi-GAN S", "HiFi-GAN L"]
    assert len(open_page.find_elements("css selector", "#scatter .system.faded")) == 2
    assert open_page.find_element("id", "found").text == "2 of 5 systems"
    few = len(open_page.find_elements("css selector", "#systems th"))
    open_page.execute_script("arguments[0].click()", boxes)
    assert len(open_page.find_elements("css selector", "#systems th")) > few


@pytest.fixture(scope="module")
def page_of_many(tmp_path_factory) -> Path:
    """200 systems on the device of the others, of five further models; nobody rated a tenth of them."""
    folder = tmp_path_factory.mktemp("report of many")
    inputs = write_inputs(folder)
    table = read_systems(inputs.systems)
    generator = np.random.default_rng(0)
    count = 195
    costs, scores = 10 ** generator.uniform(-1, 2, count), generator.uniform(1, 5, count)
    models = [f"model{index % 5}" for index in range(count)]
    many = pd.DataFrame({
        "system": [f"{model}-N{index}" for index, model in enumerate(models)], "model": models,
        "size": [f"N{index}" for index in range(count)],
        "mos": np.where(np.arange(count) % 10, scores, np.nan), "mos_source": "published",
        "energy_joules_per_audio_second": costs, "energy_source": "estimated", "device": HOSTILE,
    })  # fmt: skip
    write_systems(pd.concat([table, many], ignore_index=True), inputs.systems)
    build_report(inputs, folder / "report" / "index.html", clips_limit=1)
    return folder / "report" / "index.html"


def test_of_many_systems_the_optimal_ones_alone_are_named_and_stops_of_the_tabulator(page_of_many, browser):
    set_size(browser, *DESKTOP)
    browser.get(page_of_many.as_uri())
    optimal = browser.find_elements("css selector", "#scatter .ring")
    assert len(browser.find_elements("css selector", "#scatter .system")) == 179
    assert len(browser.find_elements("css selector", "#scatter .name")) == len(optimal) < 40
    assert len(browser.find_elements("css selector", "#scatter .system[tabindex='0']")) == len(optimal)
    assert len(browser.find_elements("css selector", "#scatter .tick")) == 20
    assert len(browser.find_elements("css selector", "#legend li")) == 7


def test_the_table_of_many_systems_is_folded_by_model_and_a_search_finds_all(page_of_many, browser, violations):
    """The outside is the table of systems itself: how many each model has, and which of them are optimal."""
    set_size(browser, *DESKTOP)
    browser.get(page_of_many.as_uri())
    systems = read_systems(page_of_many.parent / "downloads" / "systems.csv")
    optimal = systems[systems["on_front_energy"].fillna(False).astype(bool)]

    def lines():
        rows = browser.execute_script(
            "return [...document.querySelectorAll('#systems tbody tr')].map((row) => row.cells[0].textContent)"
        )
        return [row for row in rows if "systems" not in row], [row for row in rows if "systems" in row]

    shown, folds = lines()
    assert len(shown) == len(optimal) + 1  # natural speech is the one of its kind
    sizes = systems["model"].value_counts()
    assert f"model3: {sizes['model3']} systems" in " ".join(folds)
    assert len(folds) == 7
    assert violations(browser) == []
    model3 = browser.find_element("xpath", "//tr[@class='family']//button[contains(., 'model3')]")
    browser.execute_script("arguments[0].click()", model3)
    hidden = sizes["model3"] - (optimal["model"] == "model3").sum()
    assert len(lines()[0]) == len(shown) + hidden
    assert browser.switch_to.active_element.get_attribute("aria-expanded") == "true"
    browser.find_element("id", "filter").send_keys("model4")
    assert [len(each) for each in lines()] == [sizes["model4"], 0]
    browser.find_element("id", "filter").clear()
    browser.execute_script("document.getElementById('all-systems').click()")
    assert [len(each) for each in lines()] == [len(systems), 0]


def test_axe_finds_nothing_amiss(open_page, violations):
    """Nor where the numbers of a system are shown and a clip plays, with all columns: axe-core judges what is there."""
    assert violations(open_page) == []
    open_page.execute_script(
        "document.getElementById('all-columns').click(); playSystem('hifigan-S');"
        "document.querySelector('[data-system=hifigan-S]').focus()"
    )
    assert open_page.find_element("id", "tooltip").is_displayed()
    assert violations(open_page) == []


def test_text_from_files_cannot_become_part_of_the_page(open_page):
    assert open_page.title == "Energy-aware evaluation of neural vocoders"
    assert open_page.find_elements("css selector", "img[src=x]") == []


def test_the_page_loads_nothing_from_elsewhere(open_page):
    loaded = open_page.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in loaded if not name.startswith(("file:", "data:"))] == []
    page_source = (PROJECT / "resources" / "report" / "page.html").read_text()
    assert "http" not in page_source


def test_the_page_does_not_scroll_sideways(open_page):
    width, content = open_page.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
    assert content <= width


@pytest.fixture(scope="module")
def page_of_references(tmp_path_factory) -> Path:
    """Griffin-Lim on the device of the systems, WORLD on another one, and a system that nobody rated."""
    folder = tmp_path_factory.mktemp("report with references")
    inputs = write_inputs(folder)
    energy = "energy_joules_per_audio_second"
    table = read_systems(inputs.systems)
    references = [
        {"system": name, "model": name, "family": "reference", energy: 0.7, "d_stft": 0.3, "device": device,
         "energy_source": "estimated"}
        for name, device in (("griffin_lim", HOSTILE), ("world", "another"))
    ]  # fmt: skip
    table = pd.concat([table, pd.DataFrame(references)], ignore_index=True)
    table.loc[table["system"] == "melgan-L", ["mos", "mos_source"]] = [np.nan, ""]
    table.loc[table["system"].isin(["melgan-S", "hifigan-S", "hifigan-L"]), "d_stft"] = np.nan
    write_systems(table, inputs.systems)
    build_report(inputs, folder / "report" / "index.html", clips_limit=1)
    return folder / "report" / "index.html"


def ticks_of(browser):
    return [tick.get_attribute("data-system") for tick in browser.find_elements("css selector", "#scatter .tick")]


def test_who_lacks_a_value_is_a_tick_on_the_axis_of_the_other_and_named(page_of_references, browser):
    """By energy and MOS: MelGAN L was rated by nobody, Griffin-Lim has a cost, and WORLD's is of another device."""
    browser.get(page_of_references.as_uri())
    assert ticks_of(browser) == ["melgan-L", "griffin_lim"]
    summary = browser.find_element("id", "scatter-summary").text
    assert summary.startswith("Pareto optimal among 3 systems: ")
    assert summary.endswith("Ticks on the axis are without Quality (MOS): MelGAN L, Griffin-Lim.")
    tick = browser.find_element("css selector", "#scatter .tick[data-system=griffin_lim]")
    browser.execute_script("arguments[0].focus()", tick)
    assert "Griffin-Lim" in browser.find_element("id", "tooltip").text
    frame = browser.execute_script("return [frame.bottom, frame.left]")
    line = tick.find_element("css selector", "line")
    assert float(line.get_attribute("y1")) == frame[0]


def test_a_reference_on_the_device_of_the_others_competes_where_no_listener_judges(page_of_references, browser):
    browser.get(page_of_references.as_uri())
    browser.find_element("css selector", "#y-column option[value=d_stft]").click()
    shown = [mark.get_attribute("data-system") for mark in browser.find_elements("css selector", "#scatter .system")]
    assert shown == ["melgan-L", "griffin_lim"]
    assert ticks_of(browser) == ["melgan-S", "hifigan-S", "hifigan-L"]
    summary = browser.find_element("id", "scatter-summary").text
    assert summary.startswith("Pareto optimal among 2 systems: Griffin-Lim, MelGAN L.")


def test_the_page_has_no_columns_that_tell_nothing(page_of_references, browser):
    browser.get(page_of_references.as_uri())
    heads = [head.text for head in browser.find_elements("css selector", "#systems th")]
    assert "Spectral distance" in heads
    assert "PESQ-WB (MOS-LQO)" not in heads
    assert not any("degrees of freedom" in head for head in heads)
