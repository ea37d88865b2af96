"""The command-line programs speak one language: a flag has one name, one meaning and one type in all of them.

The grammar is that of `vocoder_pareto.program`. The parsers are the real ones, taken from each program where it would
read the command line. Which files are read and which are written, the rules say in `input:` and `output:`.
"""

import argparse
import re
import runpy
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from vocoder_pareto import program
from vocoder_pareto.commands import main
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.program_settings import settings_of_study, settings_of_system

PROJECT = Path(__file__).parents[2]
PROGRAMS = sorted((PROJECT / "workflow_scripts").glob("*.py"))
BENCHMARKS = [path for path in sorted((PROJECT / "benchmarks").glob("*.py")) if "argparse" in path.read_text()]
FRONT_OF_TABLE = PROJECT / "workflow_scripts" / "vocoder_pareto" / "__main__.py"
FILES = [*PROGRAMS, *BENCHMARKS, FRONT_OF_TABLE]

pytestmark = pytest.mark.xdist_group("programs")  # the parsers are taken once: their programs import all there is

KINDS = {
    program.json_or_file: "settings", program.texts_by_name: "texts by name", Path: "file",
    int: "whole number", float: "number", program.int_or_null: "whole number or null",
    program.float_or_null: "number or null", None: "text",
}  # fmt: skip
WITHOUT_RULE = {
    "check_cluster", "check_set", "check_vocoder", "convert_checkpoint", "describe_configuration", "explain_changes",
    "measure_set", "receive_responses", "redraw_figure", "show_settings",
}  # fmt: skip
# Their flags are followed by columns of a table, or by files of several formats.
COLUMNS_AFTER_FLAGS = {"__main__", "vocoder-pareto front", "tabulate_results"}
# What is written, and what a seed is of, each program says for itself; all else is said in the same words everywhere.
OWN_WORDS = re.compile(r"--(output.*|seed)")


@dataclass(frozen=True)
class Flag:
    """A flag as one program has it."""

    program: str
    name: str
    kind: str
    many: bool
    help: str

    @property
    def meaning(self):
        """What is said of the flag before what one program adds in brackets."""
        return self.help.partition(" (")[0]


class Shown(Exception):
    """Carries a parser out of its program."""


@pytest.fixture(scope="module")
def parsers():
    """The parser of every program by its path, taken where the program would read the command line."""
    found, patch = {}, pytest.MonkeyPatch()

    def show(parser, *arguments):
        raise Shown(parser)

    patch.setattr(argparse.ArgumentParser, "parse_args", show)
    patch.syspath_prepend(str(PROJECT / "benchmarks"))
    patch.setattr(program, "run_program", lambda main: main())  # the real one ends the process
    try:
        for path in FILES:
            with pytest.raises(Shown) as shown:
                runpy.run_path(str(path), run_name="__main__")
            found[path] = shown.value.args[0]
    finally:
        patch.undo()
    return found


def commands():
    """The parsers of the subcommands of `vocoder-pareto`."""
    (found,) = (action for action in main.parser()._actions if isinstance(action, argparse._SubParsersAction))
    return {f"vocoder-pareto {name}": parser for name, parser in found.choices.items()}


@pytest.fixture(scope="module")
def flags(parsers):
    return [
        Flag(
            name,
            action.option_strings[0],
            KINDS.get(action.type, f"another type: {action.type}"),
            isinstance(action.nargs, int) or action.nargs in ("*", "+"),
            action.help or "",
        )
        for name, parser in ({path.stem: parser for path, parser in parsers.items()} | commands()).items()
        for action in parser._actions
        if action.option_strings and action.dest != "help" and action.help != argparse.SUPPRESS
    ]


@pytest.fixture(scope="module")
def uses(flags):
    """All uses of each flag, by its name."""
    by_name = defaultdict(list)
    for flag in flags:
        by_name[flag.name].append(flag)
    return by_name


def test_a_flag_has_one_kind_of_value_in_all_programs(uses):
    kinds = {name: {(use.kind, use.many) for use in several} for name, several in uses.items()}
    assert {name: several for name, several in kinds.items() if len(several) > 1} == {}
    assert [name for name, several in kinds.items() if "another type" in str(several)] == []


def test_a_flag_says_one_thing_in_the_help_of_all_programs(uses):
    said = {name: {use.meaning for use in several} for name, several in uses.items() if not OWN_WORDS.fullmatch(name)}
    assert {name: several for name, several in said.items() if len(several) > 1} == {}
    assert all(use.help.startswith("seed of ") for use in uses["--seed"])


def test_a_flag_begins_with_output_where_it_is_written_and_nowhere_else(flags):
    for flag in flags:
        assert flag.name.startswith("--output") == (re.search(r"\bto write\b", flag.help) is not None), flag
        assert not flag.name.startswith("--output") or flag.kind == "file", flag


def test_settings_are_named_by_their_section(flags):
    for flag in flags:
        named = flag.name == "--system" or flag.name.endswith("-settings")
        assert named == (flag.kind == "settings"), flag


def test_counts_and_limits_are_numbers(flags):
    for flag in flags:
        counts = flag.name.startswith("--max-") or flag.name.endswith("-count")
        assert not counts or "number" in flag.kind, flag


def test_several_files_or_names_have_a_plural(flags):
    for flag in flags:
        if flag.many and flag.kind in ("file", "text") and flag.program not in COLUMNS_AFTER_FLAGS:
            assert flag.name.endswith("s"), flag


def test_the_shown_settings_are_named_as_the_flags_that_take_them(uses):
    config = read_configuration([PROJECT / "config.yaml"])
    shown = settings_of_study(config) | settings_of_system(config, "melgan-S")
    taken = {name.removeprefix("--") for name, several in uses.items() if several[0].kind == "settings"}
    assert set(shown) <= taken
    assert taken - set(shown) == {"objective-settings", "study-settings"}  # one of a list; all of it


def test_every_flag_is_described(flags):
    assert [flag for flag in flags if not flag.help.strip()] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_help_is_printed_and_ends_well(path, parsers, capsys):
    with pytest.raises(SystemExit) as ended:
        parsers[path].parse_args(["--help"])
    assert ended.value.code == 0
    assert "--help" in capsys.readouterr().out


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_is_short(path):
    """One that asks Snakemake itself cannot have its work in the library, which never imports it."""
    most = 90 if "from snakemake" in path.read_text(encoding="utf-8") else 60
    assert len(path.read_text(encoding="utf-8").splitlines()) < most


def test_flags_of_documented_calls_exist(uses):
    call = re.compile(r"python (?:[\w/]*?(\w+)\.py|-m vocoder_pareto)(?: \w+\.csv)? (--[^`|]*?)$", re.MULTILINE)
    documents = [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md"), *FILES]
    inner = re.compile(r'^(.*)"\$\((.*?)\)"(.*)$', re.MULTILINE)  # a call whose output is given to another
    texts = [inner.sub(r"\1X\3\n\2", document.read_text(encoding="utf-8")) for document in documents]
    calls = [found.groups() for text in texts for found in call.finditer(text)]
    assert {script for script, _ in calls} >= {None, "measure_set", "show_settings", "training_throughput"}
    for script, given in calls:
        known = {name for name, several in uses.items() if (script or "__main__") in {use.program for use in several}}
        assert set(re.findall(r"(?<!\S)--[a-z][\w-]*", given)) <= known, (script, given)


RULE = re.compile(r"^rule \w+:\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
COMMANDS = {
    command[1]: "".join(re.findall(r'"(.*)"', body.partition("    shell:")[2]))
    for file in sorted((PROJECT / "rules").glob("*.smk"))
    for body in RULE.findall(file.read_text())
    if (command := re.search(r'program=program\("(\w+)"\)', body)) and "    shell:" in body
}
# Folders that Snakemake must not know, or it would delete them.
UNKNOWN = {("--output-state", "params", "state"), ("--output-records", "params", "records")}


@pytest.mark.parametrize("name", COMMANDS)
def test_rules_read_and_write_as_the_flags_say(name):
    given = re.findall(r"(--[\w-]+) \{(\w+)\.(\w+)[:}]", COMMANDS[name])
    outputs = [flag for flag, what, _ in given if what == "output"]
    assert outputs
    for flag, what, key in given:
        own = key.replace("_", "-")
        if what == "output":
            assert flag == f"--output-{own}" or (flag == "--output" and len(outputs) == 1), (flag, key)
        elif (flag, what, key) not in UNKNOWN:
            assert flag == f"--{own}", (flag, what, key)


def test_every_program_of_a_rule_is_checked():
    assert set(COMMANDS) | WITHOUT_RULE == {path.stem for path in PROGRAMS}
