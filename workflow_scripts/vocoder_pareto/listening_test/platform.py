"""The contract of a platform: how a planned test is written for it, and how its results are read back."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vocoder_pareto.listening_test.key import Key, Session
from vocoder_pareto.listening_test.plan import Plan
from vocoder_pareto.listening_test.ratings import Rating, RejectedRow
from vocoder_pareto.listening_test.submissions import Submission
from vocoder_pareto.listening_test.texts import Texts
from vocoder_pareto.study.sections.listening_test import PageSettings


@dataclass(frozen=True)
class ExportSettings:
    """What exports need to know beside the plan.

    Attributes:
        texts: All words that participants read.
        page: Settings of our own page.
        templates: Folder of page.html, style.css and script.js.
        p808_base_url: Address of the folder that the sounds are uploaded to for the P.808 Toolkit.
    """

    texts: Texts
    page: PageSettings
    templates: Path
    p808_base_url: str


@dataclass(frozen=True)
class Results:
    """What one file of results holds.

    Attributes:
        file: The name of the file.
        rows: Its ratings, or why they were rejected, in the order of the file.
        submission: Whose session the file is; None for a table of many participants.
        notes: What the experimenter should know of the file, a sentence each.
    """

    file: str
    rows: tuple[Rating | RejectedRow, ...]
    submission: Submission | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Platform:
    """One way to run a listening test. Its module holds both directions; `registry` lists all platforms.

    Attributes:
        name: The folder of the export, below `results/listening_test`.
        results_form: What its results are, in the words of messages.
        suffix: The ending of its result files, with the dot, in small letters.
        recognises: Tells whether a file with that ending is a result of this platform. It looks at the file, and raises
            UserError if the file cannot be read.
        read: Reads such a file. Its second argument gives the key of the export, which the platforms that show sounds
            under opaque names need. It raises UserError for a file that is wrong as a whole; a single wrong row becomes
            a RejectedRow.
        export: Writes the plan into a folder, whose files must tell participants neither systems nor right answers. It
            raises UserError if the folder cannot be written. None for a form of results that is only read.
        link: The end of the address at which a participant, named by a code, opens a session. None for a platform that
            hands out sessions by itself.
    """

    name: str
    results_form: str
    suffix: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, Callable[[], Key]], Results]
    export: Callable[[Plan, Path, ExportSettings], None] | None = None
    link: Callable[[Session, str], str] | None = None
