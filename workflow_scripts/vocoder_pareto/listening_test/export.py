"""Write a planned test for every platform, with the experimenter's key and a link for each participant."""

import csv
from dataclasses import dataclass
from pathlib import Path

from vocoder_pareto.files import written_whole
from vocoder_pareto.listening_test.key import Key, write_key
from vocoder_pareto.listening_test.p808_export import write_p808
from vocoder_pareto.listening_test.page import write_page
from vocoder_pareto.listening_test.plan import Plan
from vocoder_pareto.listening_test.texts import Texts
from vocoder_pareto.listening_test.webmushra_export import write_webmushra
from vocoder_pareto.study.sections.listening_test import PageSettings


@dataclass(frozen=True)
class ExportFolders:
    """Where a test is written.

    Attributes:
        page: our own page, for participants.
        webmushra, p808: the same test for these platforms.
        key: JSON file that stays with the experimenter.
        invitations: CSV file with a link per participant.
    """

    page: Path
    webmushra: Path
    p808: Path
    key: Path
    invitations: Path


def export_test(
    plan: Plan, texts: Texts, page: PageSettings, templates: Path, p808_base_url: str, folders: ExportFolders
) -> None:
    """Write all forms of the test.

    Raises:
        UserError: a template is missing, or a folder cannot be written.
    """
    write_page(folders.page, plan, texts, page, templates)
    write_webmushra(folders.webmushra, plan, texts)
    write_p808(folders.p808, plan, p808_base_url)
    _write_invitations(folders.invitations, plan.key)
    write_key(folders.key, plan.key)


def _write_invitations(path: Path, key: Key) -> None:
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["participant", "session", "list", "link"])
        width = len(str(len(key.sessions)))
        for session in key.sessions:
            code = f"p{session.number:0{width}}"
            link = f"index.html?session={session.number}&participant={code}"
            writer.writerow([code, session.number, session.list_id, link])
