"""From a folder of responses to `mos.csv` and the tables beside it."""

import logging
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import pandas as pd

from vocoder_pareto.listening_test.agreement import agreement_table
from vocoder_pareto.listening_test.comparisons import pairwise_tests
from vocoder_pareto.listening_test.mean_opinion import MOS_COLUMNS, mean_opinion_scores, ratings_frame
from vocoder_pareto.listening_test.power import power_table
from vocoder_pareto.listening_test.rating_tables import write_rating_table
from vocoder_pareto.listening_test.ratings import RejectedRow
from vocoder_pareto.listening_test.responses import read_responses
from vocoder_pareto.listening_test.screening import screen
from vocoder_pareto.study.sections.listening_test import ScreeningSettings, StatisticsSettings
from vocoder_pareto.tables.csv_tables import write_table

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnalysisFiles:
    """Where the results are written, all CSV.

    Attributes:
        mos: MOS and interval by system, for tables and figures.
        details: The same with bounds, Student's interval, and the MOS before screening.
        ratings: All valid ratings in canonical form.
        rejected: The rows that were no valid ratings, and why.
        screening: What the checks found in every session.
        pairwise: What `pairwise_tests` finds for each pair of systems.
        agreement: What `agreement_table` finds about participants.
        power: How many participants `power_table` asks for.
    """

    mos: Path
    details: Path
    ratings: Path
    rejected: Path
    screening: Path
    pairwise: Path
    agreement: Path
    power: Path


def analyse_responses(
    folder: str | Path,
    systems: Collection[str],
    screening: ScreeningSettings,
    statistics: StatisticsSettings,
    seed: int,
    files: AnalysisFiles,
) -> None:
    """Read, screen and summarise the responses of `folder`.

    Args:
        folder: The folder that holds the responses, see `read_responses`.
        systems: The names that a rating may have, the references among them.
        screening: The checks that a session must pass.
        statistics: How intervals and tests are computed.
        seed: The seed of the bootstrap.
        files: The files to write; every table says in `mos_source` whether listeners were simulated.

    Raises:
        UserError: `read_responses` or `screen` raise it.
    """
    responses = read_responses(folder, systems)
    counting, sessions = screen(responses.ratings, screening)
    source = responses.mos_source
    kept = {(session.participant, session.session) for session in sessions if session.kept}
    logger.info(
        "%d ratings of %d sessions (%s); %d rows rejected, %d sessions screened out",
        len(counting), len(kept), source, len(responses.rejected), len(sessions) - len(kept),
    )  # fmt: skip
    for row in responses.rejected:
        logger.warning("%s, row %d rejected: %s", row.file, row.row, row.reason)

    table = ratings_frame(counting)
    before = ratings_frame([rating for rating in responses.ratings if rating.counts_for_mos])
    scores = mean_opinion_scores(table, before, source, statistics, seed)
    of_kept = [rating for rating in responses.ratings if (rating.participant, rating.session) in kept]
    reports = {
        files.screening: pd.DataFrame([asdict(session) for session in sessions]),
        files.pairwise: pairwise_tests(table, statistics.alpha),
        files.agreement: agreement_table(table, of_kept),
        files.power: power_table(table, statistics.alpha, statistics.power),
    }
    for path, report in reports.items():
        write_table(report.assign(mos_source=source), path)
    rejected = pd.DataFrame(responses.rejected, columns=[field.name for field in fields(RejectedRow)])
    write_table(rejected.assign(mos_source=source), files.rejected)
    write_rating_table(files.ratings, responses.ratings)
    write_table(scores, files.details)
    write_table(scores[list(MOS_COLUMNS)], files.mos)
