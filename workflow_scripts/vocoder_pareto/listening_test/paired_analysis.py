"""From a folder of answers to a test of pairs to its tables."""

import logging
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from vocoder_pareto.listening_test.paired_answers import read_paired_responses, screen_paired
from vocoder_pareto.listening_test.preferences import preference_table
from vocoder_pareto.listening_test.responses import reasons_of
from vocoder_pareto.study.sections.listening_test import ScreeningSettings, StatisticsSettings
from vocoder_pareto.tables.csv_tables import write_table

logger = logging.getLogger(__name__)


def analyse_paired_responses(
    folder: str | Path,
    screening: ScreeningSettings,
    statistics: StatisticsSettings,
    preferences: Path,
    sessions: Path,
) -> None:
    """Read, screen and summarise the answers of `folder`.

    Args:
        folder: The folder that holds them, with paired_key.json.
        screening: The checks that a session must pass, as far as they apply to pairs.
        statistics: The level of significance.
        preferences: CSV file to write, see `preference_table`; `scale` says what was asked.
        sessions: CSV file to write, with what the checks found in every session.

    Raises:
        UserError: As `read_paired_responses` and `screen_paired`.
    """
    responses = read_paired_responses(folder)
    counting, report = screen_paired(responses, screening)
    kept, partial = sum(session.kept for session in report), sum(session.is_partial for session in report)
    logger.info(
        "paired test: %d answers of %d of %d sessions count; %d sessions ended early, %d sounds could not be played",
        len(counting), kept, len(report), partial, sum(session.n_skipped for session in report),
    )  # fmt: skip
    if responses.rejected:
        logger.warning("rejected: %s", reasons_of(responses.rejected))
    for note in responses.notes:
        logger.warning(note)
    table = preference_table(counting, responses.key.pairs, statistics.alpha)
    write_table(pd.DataFrame([asdict(session) for session in report]), sessions)
    write_table(table.assign(scale=responses.key.scale), preferences)
