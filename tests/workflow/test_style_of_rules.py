"""The rules are clean: Snakemake's own linter, and what this project asks of every rule."""

import re

import pytest
from project import PROJECT, Project

pytestmark = pytest.mark.workflow

RULE = re.compile(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
RULES = {
    name: body for file in (PROJECT / "rules").glob("*.smk") for name, body in RULE.findall(file.read_text())
}  # fmt: skip
# Numbers, by the schema of the configuration, and words that the rules themselves choose.
UNQUOTED = {
    "threads", "params.batch_size", "params.draws", "params.iterations",
    "params.listeners", "params.max_rejected_share", "params.origin",
    "params.seed", "params.systematic_common_share", "params.sample_rate", "params.clip_samples",
    "params.clip_count", "params.clip_seconds", "params.compared_rate",
    "wildcards.reference", "wildcards.front_end",
}  # fmt: skip


def test_the_linter_of_snakemake_finds_nothing():
    result = Project(PROJECT).snakemake("--lint", check=False)
    assert "Congratulations" in result.stdout + result.stderr, result.stdout + result.stderr


@pytest.mark.parametrize("name", [name for name, body in RULES.items() if "shell:" in body])
def test_a_rule_logs_says_what_it_does_and_depends_on_its_code(name):
    body = RULES[name]
    assert "    log:" in body
    assert "    message:" in body
    assert "&> {log:q}" in body or "&>> {log:q}" in body
    assert f'program=program("{name}")' in body, "the program has the name of the rule"
    assert f'code_version("{name}"' in body or name.startswith("fetch_"), "an edit of the code must rerun the rule"


@pytest.mark.parametrize("name", [name for name, body in RULES.items() if "shell:" in body])
def test_the_shell_sees_every_text_in_quotes(name):
    command = RULES[name].partition("    shell:")[2]
    unquoted = re.findall(r"\{([\w.]+)\}", command)
    assert [field for field in unquoted if field not in UNQUOTED] == []


@pytest.mark.parametrize("name", ["train", "generate_audio", "measure_energy", "prepare_clips"])
def test_a_costly_rule_is_benchmarked(name):
    assert "    benchmark:" in RULES[name]
