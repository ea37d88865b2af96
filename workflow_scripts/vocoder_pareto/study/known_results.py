"""Which results the Snakemake of a working folder has records of: without them, no change would make them stale.

Snakemake keeps what made an output in `.snakemake` of the working folder, and nothing beside the output. So results
carry a token (`.identity` in their folder), and the working folder lists the tokens of the results that it knows.
"""

import json
import os
import re
import uuid
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_json, write_text

# Raw data, logs and benchmarks lie there too where a first job has failed, and are no results.
_NO_RESULTS = ("README.md", "benchmarks", "data", "logs")
_SHORT = {"n": "dry-run", "F": "forceall"}
WITH_VALUE = "sjcCdeRPUOqwT"  # short options of Snakemake that a value may follow at once
_HARMLESS = {"unlock", "lint"}


def require_known(results: str, memory: str | Path, command: Sequence[str]) -> None:
    """Refuse results that come from elsewhere without Snakemake's records of them.

    Results of this working folder that carry no token yet get one. `--touch --forceall` and `--forceall` take results
    over, since Snakemake then records all of them anew.

    Args:
        results: The folder of results as Snakemake names it.
        memory: Snakemake's folder, `.snakemake`.
        command: The words of the command, since Snakemake tells a Snakefile neither of `--touch` nor of a dry run.

    Raises:
        UserError: It says how to keep the results, and how to take them over.
    """
    options = _options(command)
    if options & _HARMLESS:
        return
    known = _read_known(Path(memory)).get(results)
    if known is not None and known == _token(results):
        return
    if not _holds_results(Path(results)):
        if known is not None and "dry-run" not in options:
            _list_known(results, None, Path(memory))  # they were deleted; what is made here now is ours
        return
    ours = known is None and _has_records(results, Path(memory))
    if not ours and "forceall" not in options:
        raise UserError(
            f"{results}: these results come from another folder, and {memory} of this one does not know with which "
            f"settings they were made, so that no change would rerun anything. Copy {memory} together with them "
            f"(cp -a {results} {memory} …), or take them over as they are, made with the present settings "
            "(snakemake --touch --forceall, with the --configfile that they were made with), or set another results_dir"
        )
    if "dry-run" not in options:
        sign(results, memory)


def sign(results: str, memory: str | Path) -> None:
    """Give results a token, unless they have one, and list it in `memory`; where nothing can be written, do nothing."""
    token = _token(results) or uuid.uuid4().hex
    try:
        if _token(results) is None:
            write_text(Path(results) / ".identity", token + "\n")
    except UserError:
        return  # they are known by Snakemake's records, or asked about again
    _list_known(results, token, Path(memory))


def _list_known(results: str, token: str | None, memory: Path) -> None:
    known = {folder: other for folder, other in _read_known(memory).items() if folder != results}
    try:
        write_json(_list(memory), {**known, results: token} if token else known)
    except UserError:
        pass  # as above


def _options(command: Sequence[str]) -> set[str]:
    """The options among the words of a command; short ones may stand together, as in `-np`."""
    options = set()
    for word in command:
        if word.startswith("--"):
            options.add(word[2:].replace("dryrun", "dry-run"))
        elif word.startswith("-"):
            flags = re.split(f"[{WITH_VALUE}]", word, maxsplit=1)[0]
            options |= {name for letter, name in _SHORT.items() if letter in flags}
    return options


def _holds_results(folder: Path) -> bool:
    """Whether there is any file, beside hidden ones and what is no result."""
    try:
        names = [name for name in os.listdir(folder) if not name.startswith(".") and name not in _NO_RESULTS]
    except OSError:
        return False
    paths = [folder / name for name in names]
    return any(path.is_file() or any(files for _, _, files in os.walk(path)) for path in paths)


def _has_records(results: str, memory: Path) -> bool:
    """Whether Snakemake has recorded, or begun, any output below `results`."""
    folder = f"{results}/".encode()
    for kind in ("metadata", "incomplete"):
        try:
            if any(_is_below(folder, name) for name in os.listdir(memory / kind)):
                return True
        except OSError:
            continue
    return False


def _is_below(folder: bytes, record: str) -> bool:
    """Whether a record of Snakemake is of an output below `folder`.

    The record's name is the output's path in base 64; a long one is cut into folders, of which all but the last begin
    with @.
    """
    name = record.removeprefix("@")
    try:
        path = urlsafe_b64decode(name[: len(name) // 4 * 4])
    except ValueError:
        return False
    return path.startswith(folder) or (name != record and folder.startswith(path))


def _token(results: str) -> str | None:
    try:
        return (Path(results) / ".identity").read_text(encoding="ascii").strip() or None
    except (OSError, ValueError):
        return None


def _list(memory: Path) -> Path:
    return memory / "vocoder_pareto" / "known_results.json"


def _read_known(memory: Path) -> dict[str, str]:
    try:
        known = json.loads(_list(memory).read_text(encoding="utf-8"))
        return {str(folder): str(token) for folder, token in known.items()}
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}
