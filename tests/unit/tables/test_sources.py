"""The table of sources is the only one: what the library writes is in it, and nothing else lists its words."""

import ast
import importlib
import json
import pkgutil
from pathlib import Path
from typing import get_args

import pytest

import vocoder_pareto.measurement
from vocoder_pareto.measurement.sensor import Sensor
from vocoder_pareto.tables.columns import Kind
from vocoder_pareto.tables.sources import SOURCES, source_of

PROJECT = Path(__file__).resolve().parents[3]
LIBRARY = PROJECT / "workflow_scripts" / "vocoder_pareto"
FOLDERS = ("analysis", "audio", "generation", "listening_test", "quality", "tables", "training")
# The reference for a number of the configuration is a source of another kind.
OTHER_KINDS = {"intensity_source"}
UNMISTAKABLE = {"nvml", "rapl", "estimated", "listening_test", "simulated"}


def words_written(code: str) -> set[str]:
    """The texts that `code` binds to a key, argument or variable called `…_source`."""
    found = []
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.keyword(arg=str(name), value=value):
                found.append((name, value))
            case ast.Dict(keys=keys, values=values):
                found += [(key.value, value) for key, value in zip(keys, values, strict=True) if is_text(key)]
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.append((name, value))
            case ast.AnnAssign(target=ast.Name(id=name), value=value):
                found.append((name, value))
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str(name)))], value=value):
                found.append((name, value))
    bound = [value for name, value in found if name.endswith("_source") and name not in OTHER_KINDS and value]
    return {text for value in bound for text in texts_of(value) if text}


def texts_of(value: ast.AST) -> list[str]:
    """The texts that an expression may be."""
    match value:
        case ast.IfExp(body=one, orelse=other):
            return [*texts_of(one), *texts_of(other)]
        case ast.BoolOp(values=values):
            return [text for each in values for text in texts_of(each)]
        case _:
            return [value.value] if is_text(value) else []


def is_text(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def library_files(*folders: str) -> list[Path]:
    return [file for folder in folders or (".",) for file in sorted((LIBRARY / folder).rglob("*.py"))]


@pytest.mark.parametrize(
    "code",
    [
        'row = {"energy_source": "guess"}', 'table.assign(mos_source="guess")', 'mos_source = "guess" if known else ""',
        'row["energy_source"] = "guess"',
    ],
)  # fmt: skip
def test_the_search_finds_a_word_that_is_written(code):
    assert words_written(code) == {"guess"}


def test_every_word_that_the_library_writes_is_in_the_table():
    written = {word for file in library_files() for word in words_written(file.read_text(encoding="utf-8"))}
    assert written - set(get_args(Kind)) <= set(SOURCES)  # a column of sources is of the kind text


def test_every_sensor_of_the_library_names_a_source_of_the_table():
    for module in pkgutil.iter_modules(vocoder_pareto.measurement.__path__, "vocoder_pareto.measurement."):
        importlib.import_module(module.name)
    sensors = [kind for kind in Sensor.__subclasses__() if kind.__module__.startswith("vocoder_pareto.")]
    assert {kind.source for kind in sensors} >= {"nvml", "rapl", "estimated"}
    assert {kind.source for kind in sensors} <= set(SOURCES)


def test_no_other_module_lists_the_words():
    for file in library_files(*FOLDERS):
        if file.name == "sources.py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict | ast.Tuple | ast.List | ast.Set):
                parts = node.keys if isinstance(node, ast.Dict) else node.elts
                listed = {part.value for part in parts if is_text(part)}
                assert len(listed & UNMISTAKABLE) < 2, f"{file}:{node.lineno}: take the words from tables/sources.py"


def test_marks_and_labels_tell_sources_apart():
    assert len({source.mark for source in SOURCES.values()}) == len(SOURCES)
    assert len({source.label for source in SOURCES.values()}) == len(SOURCES)


def test_a_word_of_a_users_own_is_its_own_label():
    assert source_of("wattmeter").described("energy_joules_per_audio_second") == "wattmeter"


def test_reasons_of_the_comparison_with_the_paper_are_given_for_words_of_the_table():
    conventions = json.loads((PROJECT / "resources" / "published" / "conventions.json").read_text(encoding="utf-8"))
    assert set(conventions["energy"]) <= set(SOURCES)


def test_the_documented_table_is_the_one_of_the_code():
    documented = (PROJECT / "docs" / "analysis.md").read_text(encoding="utf-8")
    for source in SOURCES.values():
        others = ", ".join(f"`{word}`" for word in source.compares_with)
        cells = [f"`{source.word}`", source.mark, source.label, source.meaning, others]
        assert ("| " + " | ".join(cells) + " |").replace("|  |", "| |") in documented
