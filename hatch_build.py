"""What the wheel holds beside the library: the files of the workflow, inside of the package (see `workflow_files.py`).

An installation with `--editable` needs none of them, since its library lies in the checkout.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PARTS = ("Snakefile", "config.yaml", "rules", "envs", "profiles", "presets", "resources")


class WorkflowFiles(BuildHookInterface):
    """Puts each part of the workflow below `vocoder_pareto/workflow/`, and the programs without the library."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files to what is built, see hatchling's documentation of build hooks."""
        if version == "standard":
            programs = [f"workflow_scripts/{file.name}" for file in Path(self.root, "workflow_scripts").glob("*.py")]
            build_data["force_include"] |= {part: f"vocoder_pareto/workflow/{part}" for part in (*PARTS, *programs)}
