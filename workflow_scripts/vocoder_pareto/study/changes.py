"""Why jobs would run again, in the words of a study's user: the key, the module or the file that changed.

A rule's `params` identify its results. What was recorded of them has no names, so each value of today is paired with
the recorded value that is most like it.
"""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vocoder_pareto.study.code_version import changed_modules
from vocoder_pareto.study.file_content import MEMORY, files_of

# The key of the configuration that a param holds; {} is the path within its value, and {model} the model's name.
KEYS = {
    "determining": "training.{}",
    "sampling_settings": "models.*.sampling.{}",
    "shares": "training.validation_shares",
    "dataset_settings": "dataset.{}",
    "protocol": "energy.{}",
    "meter_backend": "meter.backend",
    "quality_settings": "quality.{}",
    "predicted_mos_settings": "predicted_mos.{}",
    "figure_settings": "figures.{}",
    "report_settings": "report.{}",
    "sweep_settings": "measurements.sweep.{}",
    "deployment_settings": "measurements.deployment.{}",
    "design_settings": "listening_test.design.{}",
    "loudness_settings": "listening_test.loudness.{}",
    "page_settings": "listening_test.page.{}",
    "paired_settings": "listening_test.paired.{}",
    "screening_settings": "listening_test.screening.{}",
    "statistics_settings": "listening_test.statistics.{}",
    "convention_settings": "models.*.published_convention.{}",
    "study_settings": "{}",
    "labels": "models.{}.label",
    "families": "models.{}.family",
    "place": "models.*.weights.{}",
    "layout": "models.*.weights.layout",
    "system_names": "systems",
    "voices": "dataset.voices",
    "corpus_kind": "dataset.source",
    "voice": "dataset.arctic_voice",
    "max_clips": "generation.clips",
    "iterations": "generation.griffin_lim_iterations",
    "front_ends": "models.{}.front_end",
    "front_end_settings": "front_ends.*.{}",
    "compared_rate": "evaluation.sample_rate",
    "sample_rate": "front_ends.*.sample_rate",
    "clip_samples": "dataset.clip_seconds",
    "max_seconds": "evaluation.seconds",
    "clip_count": "energy.clips",
    "clip_seconds": "energy.clip_seconds",
    "meter_settings": "meter.{}",
    "carbon_settings": "carbon.{}",
    "reference_system": "report.reference_system",
    "emission_factors": "carbon (intensity_kg_per_kwh, power_usage_effectiveness)",
    "draws": "pareto.draws",
    "systematic_common_share": "pareto.systematic_common_share",
    "precision": "energy.precision",
    "batch_size": "energy.batch_size",
    "p808_base_url": "listening_test.p808_base_url",
    "listeners": "listening_test.simulate",
    "measured_set": "measurements.from",
    "seed": "seed",
    "device": "device",
    "environments": "files of envs/",
    "snakemake_version": "version of Snakemake",
}
# Digests of what users bring.
CONTENTS = {
    "corpus": "content of the recordings",
    "listed": "content of the list of the test set (dataset.split)",
    "given": "content of the given weights",
    "predictor_weights": "content of UTMOS (predicted_mos.utmos_file)",
    "words": "content of the texts (listening_test.texts)",
    "answers": "content of the answers (listening_test.responses)",
}
# The sections of the keys that a system's settings gather.
SYSTEM_KEYS = {
    "recipe": "models.{model}.training",
    "n_mels": "front_ends.*.n_mels",
    "hop_length": "front_ends.*.hop_length",
    "sample_rate": "front_ends.*.sample_rate",
}

_CODE = re.compile(r"(.+?)=([0-9a-f]{8}(?:\+[0-9a-f]{8})*)(?: |$)")
_DIGEST = re.compile(r"[0-9a-f]{16}")
_ABSENT = "not there"
_MOST_LETTERS = 48


@dataclass(frozen=True)
class Code:
    """What the param `code` holds: hashes by module."""

    hashes: Mapping[str, str]


@dataclass(frozen=True)
class StaleJob:
    """A job that would run.

    Attributes:
        rule: The name of its rule.
        wildcards: The system that it works on, say, by the name of its wildcard.
        reasons: Why it would run, in words.
    """

    rule: str
    wildcards: Mapping[str, str]
    reasons: tuple[str, ...]


def changes_of_inputs(recorded: Iterable[str], inputs: Iterable[str]) -> list[str]:
    """Which input files came and which went, in words."""
    before, now = set(recorded), set(inputs)
    came, went = sorted(now - before), sorted(before - now)
    return [f"input: {file} is new" for file in came] + [f"input: {file} is none any more" for file in went]


def changes_of_params(
    rule: str,
    recorded: Iterable[str],
    params: Mapping[str, Any],
    identifying: Iterable[Any],
    memory: str | Path = MEMORY,
) -> list[str]:
    """What differs between the params of a job and those that were recorded with its output, in words.

    Args:
        rule: The rule of the job.
        recorded: What Snakemake recorded: the `repr` of each value, without names.
        params: The values of today by their names.
        identifying: Those of the values that identify the result.
        memory: The file in which `FileDigests` remembers what digests of content stand for.
    """
    left, new, counting = list(recorded), {}, [repr(value) for value in identifying]
    for name, value in params.items():
        text = repr(value)
        if text in counting:
            counting.remove(text)
            if text in left:
                left.remove(text)
            else:
                new[name] = _read(text)
    old = dict(enumerate(map(_read, left)))
    words = []
    for name, index in _pairs(old, new):
        before, now = old.pop(index), new.pop(name)
        words += _changed_files(name, before, now, memory) or _differences(rule, name, before, now)
    for name, value in new.items():
        words += _differences(rule, name, _ABSENT, value)
    words += [f"{_shown(value)}: belongs to it no more" for value in old.values()]
    return sorted(words, key=lambda each: each.startswith("code:"))


def _pairs(old: Mapping[int, Any], new: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Which value of today takes the place of which recorded one: the likest find each other first."""
    likeness = {(name, index): _likeness(old[index], value) for name, value in new.items() for index in old}
    pairs: dict[str, int] = {}
    for (name, index), how_like in sorted(likeness.items(), key=lambda item: -item[1]):
        if how_like > 0 and name not in pairs and index not in pairs.values():
            pairs[name] = index
    return list(pairs.items())


def as_text(jobs: Iterable[StaleJob]) -> str:
    """A table with a row for all jobs of a rule that have the same reasons, and a line for each reason."""
    rows: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for job in jobs:
        system = job.wildcards.get("system")
        why = tuple(reason.replace(system, "{system}") if system else reason for reason in job.reasons)
        rows.setdefault((job.rule, why), []).append(" ".join(job.wildcards.values()))
    lines = [("rule", "jobs", "of", "why")]
    for (rule, reasons), names in rows.items():
        firsts = (rule, str(len(names)), _collapsed(names))
        lines += [(*(firsts if line == 0 else ("", "", "")), reason) for line, reason in enumerate(reasons)]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    rule, jobs, of = widths
    return f"{cells[0]:<{rule}}  {cells[1]:>{jobs}}  {cells[2]:<{of}}  {cells[3]}"


def first_few(names: Sequence[str], most: int = 4) -> str:
    """The first of many names, and how many more there are."""
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])


def _read(text: str) -> Any:
    """The value whose `repr` was recorded, and what it holds if it is JSON, hashes of code or settings."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    if not isinstance(value, str) or _DIGEST.fullmatch(value):
        return value
    hashes = dict(_CODE.findall(value))
    if hashes and _CODE.sub("", value) == "":
        return Code(hashes)
    try:
        return json.loads(value)
    except ValueError:
        return value


def _likeness(old: Any, new: Any) -> float:
    """How likely a param that holds `new` held `old`: 0 (it did not) to 1."""
    if isinstance(old, Code) and isinstance(new, Code):
        return 0.1 + _overlap(old.hashes, new.hashes)
    if isinstance(old, dict) and isinstance(new, dict):
        return _overlap(old, new)
    if isinstance(old, Code | dict) or isinstance(new, Code | dict):
        # The recordings are told by the code that speaks them, or by what they hold.
        is_corpus = (_is_digest(old) and isinstance(new, Code)) or (isinstance(old, Code) and _is_digest(new))
        return 0.05 if is_corpus else 0
    if _is_digest(old) or _is_digest(new):
        return 1 if _is_digest(old) and _is_digest(new) else 0.3 * (old is None or new is None)
    if old is None or new is None:
        return 0.2
    numbers = isinstance(old, int | float) and isinstance(new, int | float)
    return 0.6 if type(old) is type(new) else 0.5 * numbers


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    union = one.keys() | other.keys()
    return len(one.keys() & other.keys()) / len(union) if union else 1.0


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _differences(rule: str, name: str, old: Any, new: Any) -> list[str]:
    if isinstance(new, Code) and name == "code":
        before = old.hashes if isinstance(old, Code) else {}
        return [f"code: {first_few(changed_modules(dict(before), dict(new.hashes)))}"]
    key = _key(rule, name, (), new)
    if name in CONTENTS:
        return [f"{key}: {'none before' if old in (None, _ABSENT) else 'none now' if new is None else 'changed'}"]
    if isinstance(old, Code | dict) != isinstance(new, Code | dict):
        return [f"{key}: {old} before" if old == _ABSENT else f"{key}: changed"]
    if isinstance(new, dict):
        return [
            f"{_key(rule, name, path, new)}: {_shown(before)} → {_shown(now)}"
            for path, before, now in _changed_leaves(old, new)
        ]
    return [f"{key}: {_shown(old)} → {_shown(new)}"]


def _changed_files(name: str, old: Any, new: Any, memory: str | Path) -> list[str]:
    """Which of the files that a digest stands for changed, came or went; nothing where that is not known."""
    if name not in CONTENTS or not (_is_digest(old) and _is_digest(new)):
        return []
    before, now = files_of(memory, old), files_of(memory, new)
    if before is None or now is None:
        return []
    found = {
        "changed": [file for file in now if file in before and now[file] != before[file]],
        "new": [file for file in now if file not in before],
        "gone": [file for file in before if file not in now],
    }
    return [f"{CONTENTS[name]}: {how}: {first_few(files)}" for how, files in found.items() if files]


def _changed_leaves(old: Any, new: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*new, *old]):
            yield from _changed_leaves(old.get(key, _ABSENT), new.get(key, _ABSENT), (*path, key))
    elif old != new or type(old) is not type(new):
        yield path, old, new


def _key(rule: str, name: str, path: tuple[str, ...], value: Any) -> str:
    if name == "system":
        first = SYSTEM_KEYS.get(path[0], f"models.{{model}}.{path[0]}") if path else "models.{model}"
        return ".".join([first.format(model=value["model"]), *path[1:]])
    if name == "max_clips" and rule.endswith("synthesize_corpus"):
        return "dataset.clips"
    template = {**KEYS, **CONTENTS}.get(name, f"{name}.{{}}" if path else name)
    return template.format(".".join(path)).rstrip(".")


def _shown(value: Any) -> str:
    if value == _ABSENT:
        return _ABSENT
    if isinstance(value, Code):
        return f"code of {', '.join(value.hashes)}"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


def _collapsed(names: list[str]) -> str:
    """`melgan-{S,M}, hifigan-L` for many systems of few models."""
    sizes: dict[str, list[str]] = {}
    for name in sorted(filter(None, names)):
        model, dash, size = name.rpartition("-")
        sizes.setdefault(f"{model}{dash}", []).append(size)
    models = [model + (each[0] if len(each) == 1 else f"{{{','.join(each)}}}") for model, each in sizes.items()]
    text = ", ".join(models)
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"
