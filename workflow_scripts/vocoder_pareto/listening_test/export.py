"""Write a planned test for platforms, with the experimenter's key and a link for each participant."""

from collections.abc import Sequence
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.key import Key, write_key
from vocoder_pareto.listening_test.page import PAGE
from vocoder_pareto.listening_test.plan import Plan
from vocoder_pareto.listening_test.platform import ExportSettings
from vocoder_pareto.listening_test.registry import EXPORTED_PLATFORMS, PLATFORMS
from vocoder_pareto.study.companions import record_companions
from vocoder_pareto.tables.csv_files import write_csv


def export_test(plan: Plan, settings: ExportSettings, folders: Sequence[Path], key: Path, invitations: Path) -> None:
    """Write the test for each platform that a folder is named after, then what the experimenter needs.

    Args:
        plan: The test.
        settings: What platforms need to know beside the plan.
        folders: Folders to write; the name of each is that of its platform.
        key: JSON file to write, which stays with the experimenter.
        invitations: CSV file to write, with a link per participant.

    Raises:
        UserError: A folder is named after no platform or cannot be written, or a template is missing.
    """
    exports = {platform.name: platform.export for platform in PLATFORMS if platform.export}
    for folder in folders:
        if folder.name not in exports:
            raise UserError(f"{folder}: no platform has this name; allowed: {', '.join(EXPORTED_PLATFORMS)}")
    for folder in folders:
        exports[folder.name](plan, folder, settings)
    _write_invitations(invitations, plan.key)
    sounds = [file for folder in folders if folder.is_relative_to(key.parent) for file in folder.rglob("*.wav")]
    record_companions(key, sounds)  # not the rest: an experimenter may edit texts of the export
    write_key(key, plan.key)


def _write_invitations(path: Path, key: Key) -> None:
    links = {
        "link" if platform is PAGE else f"{platform.name}_link": platform.link
        for platform in PLATFORMS
        if platform.link
    }
    codes = [(session, key.participant_code(session)) for session in key.sessions]
    rows = (
        [code, session.number, session.list_id, *(link(session, code) for link in links.values())]
        for session, code in codes
    )
    write_csv(path, ["participant", "session", "list", *links], rows)
