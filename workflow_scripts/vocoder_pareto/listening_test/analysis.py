"""From a folder of responses to `mos.csv` and the tables beside it."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

from vocoder_pareto.files import write_json
from vocoder_pareto.listening_test.agreement import agreement_table
from vocoder_pareto.listening_test.comparisons import pairwise_tests
from vocoder_pareto.listening_test.counts import RatingCounts, count_ratings
from vocoder_pareto.listening_test.fitted_ratings import OTHER_SENTENCES, FittedRatings, fit_ratings
from vocoder_pareto.listening_test.mean_opinion import MOS_COLUMNS, mean_opinion_scores, ratings_frame
from vocoder_pareto.listening_test.power import power_table
from vocoder_pareto.listening_test.rating_tables import write_rating_table
from vocoder_pareto.listening_test.ratings import RejectedRow, Responses
from vocoder_pareto.listening_test.responses import MAX_REJECTED_SHARE, read_responses, reasons_of
from vocoder_pareto.listening_test.screening import ScreenedSession, screen
from vocoder_pareto.study.sections.listening_test import ScreeningSettings, StatisticsSettings
from vocoder_pareto.tables.csv_tables import write_table

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnalysisFiles:
    """Where the results are written, all tables CSV.

    Attributes:
        mos: MOS and interval by system, for tables and figures.
        details: The same with bounds, Student's interval, and the MOS before screening.
        ratings: All valid ratings in canonical form.
        rejected: The rows that were no valid ratings, and why.
        screening: What the checks found in every session.
        pairwise: What `pairwise_tests` finds for each pair of systems.
        agreement: What `agreement_table` finds about participants.
        power: Which differences the test finds, and what `power_table` asks for.
        counts: JSON with what became of all ratings, see `RatingCounts`, and that in a sentence.
    """

    mos: Path
    details: Path
    ratings: Path
    rejected: Path
    screening: Path
    pairwise: Path
    agreement: Path
    power: Path
    counts: Path


def analyse_responses(
    folder: str | Path,
    systems: Collection[str],
    screening: ScreeningSettings,
    statistics: StatisticsSettings,
    seed: int,
    files: AnalysisFiles,
    max_rejected_share: float = MAX_REJECTED_SHARE,
) -> None:
    """Read, screen and summarise the responses of `folder`.

    Args:
        folder: The folder that holds the responses, see `read_responses`.
        systems: The names that a rating may have, the references among them.
        screening: The checks that a session must pass.
        statistics: How intervals and tests are computed.
        seed: The seed of the replicates.
        files: The files to write; every table says in `mos_source` whether listeners were simulated.
        max_rejected_share: The largest share of rows that may be no valid ratings, 0 to 1.

    Raises:
        UserError: `read_responses` or `screen` raise it.
    """
    responses = read_responses(folder, systems, max_rejected_share)
    counting, sessions = screen(responses.ratings, screening, responses.submissions)
    source = responses.mos_source
    kept = {(session.participant, session.session) for session in sessions if session.kept}
    counts = count_ratings(responses, counting, sessions)
    _tell(responses, sessions, counts, screening)

    table = ratings_frame(counting)
    before = ratings_frame([rating for rating in responses.ratings if rating.counts_for_mos])
    fitted = fit_ratings(table, statistics.other_sentences, statistics.replicates, seed)
    _tell_unknown(fitted)
    scores = mean_opinion_scores(table, before, source, fitted)
    of_kept = [rating for rating in responses.ratings if (rating.participant, rating.session) in kept]
    reports = {
        files.screening: pd.DataFrame([asdict(session) for session in sessions]),
        files.pairwise: pairwise_tests(fitted, table, statistics.alpha),
        files.agreement: agreement_table(table, of_kept),
        files.power: power_table(fitted, table, statistics.alpha, statistics.power),
    }
    for path, report in reports.items():
        write_table(report.assign(mos_source=source), path)
    rejected = pd.DataFrame(responses.rejected, columns=[field.name for field in fields(RejectedRow)])
    write_table(rejected.assign(mos_source=source), files.rejected)
    write_rating_table(files.ratings, responses.ratings)
    write_json(files.counts, {**asdict(counts), "sentence": counts.sentence, "mos_source": source})
    write_table(scores, files.details)
    write_table(scores[list(MOS_COLUMNS)], files.mos)


def _tell_unknown(fitted: FittedRatings) -> None:
    """Log why there are no intervals, where there are none."""
    pairs = np.triu_indices(len(fitted.systems), 1)
    if np.isfinite(fitted.means.values).all() and np.isfinite(fitted.differences.values[pairs]).all():
        return
    why = "all ratings of a system, or of what divides two systems, are the same, which is no certainty"
    if fitted.design.n_participants == 1:
        why = "one participant tells nothing of others"
    elif fitted.design.n_utterances == 1 and fitted.holds_for == OTHER_SENTENCES:
        why = (
            "one sentence tells nothing of others; set config key listening_test.statistics.other_sentences to false "
            "for results that hold for this one alone"
        )
    logger.warning("no intervals or no tests: %s", why)


def _tell(
    responses: Responses, sessions: Sequence[ScreenedSession], counts: RatingCounts, settings: ScreeningSettings
) -> None:
    """Log what became of the ratings, in so few lines that they can stand on the terminal."""
    logger.info(
        "listening test (%s): %d rows read, %d of them checks, practice and repeats. %s",
        responses.mos_source, counts.n_read, counts.n_checks, counts.sentence,
    )  # fmt: skip
    if responses.rejected:
        logger.warning("rejected (rejected.csv): %s", reasons_of(responses.rejected))
    if counts.n_sessions_partial or counts.n_sounds_skipped:
        logger.info(
            "%d of %d sessions ended early and count as far as they go; %d sounds could not be played (screening.csv)",
            counts.n_sessions_partial, counts.n_sessions, counts.n_sounds_skipped,
        )  # fmt: skip
    for note in responses.notes:
        logger.warning(note)
    examined = [session for session in sessions if not session.screened_before]
    few = sum(session.n_reference_ratings < settings.min_reference_ratings for session in examined)
    if few and settings.min_reference_mos is not None:
        logger.info(
            "natural speech was scored fewer than %d times in %d of %d sessions, so its mean screens none of these",
            settings.min_reference_ratings, few, len(examined),
        )  # fmt: skip
    if len(examined) < len(sessions):
        logger.info("%d sessions were screened by their platform and are not again", len(sessions) - len(examined))
