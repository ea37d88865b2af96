"""`ro-crate-metadata.json`: the results as a Workflow Run RO-Crate, which repositories and WorkflowHub read.

Sources: RO-Crate 1.1; Workflow RO-Crate 1.0; Process Run Crate and Workflow Run Crate 0.5. Nothing is stated that the
record of provenance does not hold: no author, and a licence for the workflow alone.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_json, written_whole
from vocoder_pareto.study.companions import forget_companions, record_companions

METADATA = "ro-crate-metadata.json"
CONTEXTS = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
CRATE = "https://w3id.org/ro/crate/1.1"
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    WORKFLOW_CRATE: "Workflow RO-Crate",
}
SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
LICENCE = "Not stated: who deposits these results chooses it. The workflow is under the MIT licence."
PAPER = (
    "Douwes et al. 2023, Is Quality Enough? Integrating Energy Consumption in a Large-Scale Evaluation of Neural Audio \
Synthesis Models, ICASSP 2023"
)
FORMATS = {
    ".csv": "text/csv", ".json": "application/json", ".md": "text/markdown", ".tex": "application/x-tex",
    ".pdf": "application/pdf", ".svg": "image/svg+xml", ".html": "text/html", ".smk": "text/x-python",
    "": "text/x-python",  # Snakefile
}  # fmt: skip
_WHOLE_FOLDERS = {
    "manifest.csv": "Generated audio",
    "index.html": "Report page",
}  # files that vouch for those beside them


@dataclass(frozen=True)
class CrateInputs:
    """What a crate is made of.

    Attributes:
        results: files of the study, below the folder of the crate.
        workflow: Snakefile, then the files that it includes.
        provenance: `provenance.json`: commit, versions, the whole configuration.
    """

    results: Sequence[Path]
    workflow: Sequence[Path]
    provenance: Mapping[str, Any]


def write_crate(inputs: CrateInputs, folder: Path, written: datetime) -> None:
    """Write `workflow/` (Snakefile, rules, configuration) and `ro-crate-metadata.json` into `folder`.

    Args:
        inputs: what is described.
        folder: holds the results.
        written: when; in UTC.

    Raises:
        UserError: a result is missing or lies elsewhere.
    """
    forget_companions(folder / METADATA)
    copies = []
    for file in inputs.workflow:
        copies.append(folder / "workflow" / (file.name if file.suffix != ".smk" else f"rules/{file.name}"))
        with written_whole(copies[-1]) as temporary:
            shutil.copyfile(file, temporary)
    write_json(folder / "workflow" / "config.json", inputs.provenance["config"])
    record_companions(folder / METADATA, [*copies, folder / "workflow" / "config.json"])
    write_json(folder / METADATA, crate_metadata(inputs, copies, folder, written))


def crate_metadata(inputs: CrateInputs, workflow: Sequence[Path], folder: Path, written: datetime) -> dict[str, Any]:
    """The JSON-LD of the crate.

    Args:
        inputs: what is described.
        workflow: as copied into the folder: the Snakefile, then what it includes.
        folder: that of the crate.
        written: when; in UTC.
    """
    parts = [_part(path, folder) for path in inputs.results]
    parts = list({part["@id"]: part for part in parts}.values())
    rules = [_file(path, folder) for path in workflow[1:]]
    config = _file(folder / "workflow" / "config.json", folder) | {
        "name": "Configuration of the study", "exampleOfWork": _reference("#configuration"),
    }  # fmt: skip
    script = _name(workflow[0], folder)
    main = _main_workflow(script, rules, inputs.provenance)
    moment = written.astimezone(UTC).isoformat(timespec="seconds")
    action = {
        "@id": "#study",
        "@type": "CreateAction",
        "name": "The study",
        "description": f"All that Snakemake made, by commit {_commit(inputs.provenance)}; "
        "versions of packages and the machine are in provenance.json.",
        "instrument": _reference(script),
        "object": _reference(config["@id"]),
        "result": [_reference(part["@id"]) for part in parts],
        "endTime": moment,
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": "Energy-aware evaluation of neural vocoders",
        "description": "Tables, figures, measurements and audio of a study of what neural vocoders cost and how good "
        f"they sound, after {PAPER}.",
        "datePublished": moment,
        "license": LICENCE,
        "conformsTo": [_reference(profile) for profile in PROFILES],
        "hasPart": [_reference(each["@id"]) for each in (main, *rules, config, *parts)],
        "mainEntity": _reference(script),
        "mentions": _reference("#study"),
    }
    return {"@context": CONTEXTS, "@graph": [_descriptor(), root, main, *_contextual(inputs.provenance),
                                             *rules, config, *parts, action]}  # fmt: skip


def _descriptor() -> dict[str, Any]:
    return {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": _reference("./"),
        "conformsTo": [_reference(CRATE), _reference(WORKFLOW_CRATE)],
    }


def _main_workflow(name: str, rules: Sequence[Mapping[str, Any]], provenance: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@id": name,
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "vocoder-pareto",
        "description": "The Snakefile and its rules; the programs that they call are those of the commit.",
        "version": _commit(provenance),
        "license": "https://spdx.org/licenses/MIT",
        "programmingLanguage": _reference(SNAKEMAKE),
        "conformsTo": _reference("https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"),
        "input": _reference("#configuration"),
        "hasPart": [_reference(each["@id"]) for each in rules],
    }


def _contextual(provenance: Mapping[str, Any]) -> list[dict[str, Any]]:
    version = provenance["packages"].get("snakemake")
    language = {
        "@id": SNAKEMAKE,
        "@type": "ComputerLanguage",
        "name": "Snakemake",
        "identifier": _reference("https://doi.org/10.1093/bioinformatics/bts480"),
        "url": _reference("https://snakemake.readthedocs.io"),
    }
    parameter = {
        "@id": "#configuration",
        "@type": "FormalParameter",
        "name": "configuration",
        "additionalType": "File",
        "conformsTo": _reference("https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"),
        "workExample": _reference("workflow/config.json"),
    }
    profiles = [
        {"@id": profile, "@type": "CreativeWork", "name": name, "version": profile.rpartition("/")[2]}
        for profile, name in PROFILES.items()
    ]
    return [language | ({"version": version} if version else {}), parameter, *profiles]


def _part(path: Path, folder: Path) -> dict[str, Any]:
    """A file of the study, or its whole folder where one file stands for those beside it."""
    if kind := _WHOLE_FOLDERS.get(path.name):
        name = _name(path.parent, folder)
        return {"@id": f"{name}/", "@type": "Dataset", "name": f"{kind}: {name}"}
    return _file(path, folder)


def _file(path: Path, folder: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UserError(f"{path}: no such file; run the rule that makes it")
    name = _name(path, folder)
    described = {"@id": name, "@type": "File", "name": name, "contentSize": str(path.stat().st_size)}
    return described | ({"encodingFormat": FORMATS[path.suffix]} if path.suffix in FORMATS else {})


def _name(path: Path, folder: Path) -> str:
    try:
        return quote(path.resolve().relative_to(folder.resolve()).as_posix())
    except ValueError as error:
        raise UserError(f"{path}: does not lie below {folder}, the folder of the crate; leave it out") from error


def _commit(provenance: Mapping[str, Any]) -> str:
    git = provenance.get("git", {})
    return f"{git.get('commit') or 'unknown'}{', modified' if git.get('modified') else ''}"


def _reference(identifier: str) -> dict[str, str]:
    return {"@id": identifier}
