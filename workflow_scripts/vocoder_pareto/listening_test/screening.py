"""Which sessions count: checks of attention and care after ITU-T P.808, each configurable, all reported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pvariance

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.ratings import Rating, repeat_differences
from vocoder_pareto.listening_test.submissions import Submission
from vocoder_pareto.study.sections.listening_test import ScreeningSettings
from vocoder_pareto.study.systems import GROUND_TRUTH


@dataclass(frozen=True)
class ScreenedSession:
    """What the checks found in one session: a row of screening.csv.

    Attributes:
        participant, session: Whose session it is.
        n_ratings: How many ratings would count for the MOS.
        n_not_played_to_end: How many sounds were not heard whole.
        n_traps, n_failed_traps: How many attention checks were met, and missed.
        n_gold, n_failed_gold: How many gold sounds were met, and scored wrong.
        variance: The variance of the ratings; None where fewer than two count.
        reference_mos: The mean score of natural speech; None where it was not rated.
        n_reference_ratings: How many scores that is the mean of.
        repeat_difference: The mean absolute difference of repeats; None where nothing was repeated.
        headphone_score: Right answers, of 6, in the check for headphones; None where there was none.
        is_partial: Whether it ended before its last sound; None where the platform does not tell.
        n_skipped: How many sounds could not be played; None where the platform does not tell.
        screened_before: Whether the platform has screened it, so that nothing is checked again.
        kept: Whether the session counts.
        reasons: Why it does not count; empty if it counts.
    """

    participant: str
    session: str
    n_ratings: int
    n_not_played_to_end: int
    n_traps: int
    n_failed_traps: int
    n_gold: int
    n_failed_gold: int
    variance: float | None
    reference_mos: float | None
    n_reference_ratings: int
    repeat_difference: float | None
    headphone_score: int | None
    is_partial: bool | None
    n_skipped: int | None
    screened_before: bool
    kept: bool
    reasons: str


def screen(
    ratings: Sequence[Rating],
    settings: ScreeningSettings,
    submissions: Mapping[tuple[str, str], Submission] | None = None,
) -> tuple[list[Rating], list[ScreenedSession]]:
    """The ratings that count for the MOS, and the report on all sessions.

    `submissions` holds what is known of sessions as a whole, by participant and session. A partial session counts as
    far as it goes. Sessions that their platform has screened are kept. Natural speech is a system like others, so its
    mean screens a session only where `min_reference_ratings` of it are there.

    Raises:
        UserError: No session passes.
    """
    sessions: dict[tuple[str, str], list[Rating]] = {}
    for rating in ratings:
        sessions.setdefault((rating.participant, rating.session), []).append(rating)
    known = submissions or {}
    report = [_screened(session, settings, known.get(name)) for name, session in sessions.items()]
    kept = {(session.participant, session.session) for session in report if session.kept}
    counting = [rating for rating in ratings if rating.counts_for_mos and (rating.participant, rating.session) in kept]
    if not counting and not any(rating.counts_for_mos for rating in ratings):
        raise UserError(
            f"listening test: all {len(ratings)} ratings are checks, practice or repeats, and none is left for a MOS; "
            "correct is_training, is_trap, is_gold and is_repeat, or add the other answers"
        )
    if not counting:
        first = next((session for session in report if session.reasons), None)
        why = f" (the first, {first.participant}: {first.reasons})" if first else ""
        raise UserError(
            f"listening test: none of {len(report)} sessions passes the screening{why}; "
            "loosen config key listening_test.screening"
        )
    return counting, report


def _screened(session: Sequence[Rating], settings: ScreeningSettings, known: Submission | None) -> ScreenedSession:
    scores = [rating.rating for rating in session if rating.counts_for_mos]
    unheard = sum(rating.played_to_end is False for rating in session)
    traps = [rating for rating in session if rating.is_trap and rating.expected is not None]
    missed = sum(rating.rating != rating.expected for rating in traps)
    gold = [(each.rating, each.expected) for each in session if each.is_gold and each.expected is not None]
    wrong = sum(abs(rating - expected) > settings.gold_tolerance for rating, expected in gold)
    variance = pvariance(scores) if len(scores) > 1 else None
    natural = [rating.rating for rating in session if rating.counts_for_mos and rating.system == GROUND_TRUTH]
    reference = fmean(natural) if natural else None
    # Few scores are low by chance in honest sessions as well: to leave these out would raise what is measured.
    judged = reference if len(natural) >= settings.min_reference_ratings else None
    differences = repeat_differences(session)
    difference = fmean(differences) if differences else None
    headphones = known.headphone_score if known else None
    checks = (
        (settings.full_playback and unheard > 0, f"{unheard} sounds not played to the end"),
        (_above(missed, settings.max_failed_traps), f"{missed} of {len(traps)} attention checks missed"),
        (_above(wrong, settings.max_failed_gold), f"{wrong} of {len(gold)} gold sounds scored wrong"),
        (_below(variance, settings.min_variance), f"variance of scores {variance or 0:.2f}"),
        (_below(judged, settings.min_reference_mos), f"natural speech scored {reference or 0:.2f}"),
        (_above(difference, settings.max_repeat_difference), f"repeats differ by {difference or 0:.2f}"),
        (_below(headphones, settings.min_headphone_score), f"{headphones} of 6 right in the check for headphones"),
    )
    screened_before = all(rating.is_screened for rating in session)
    reasons = [reason for failed, reason in checks if failed and not screened_before]
    return ScreenedSession(
        participant=session[0].participant,
        session=session[0].session,
        n_ratings=len(scores),
        n_not_played_to_end=unheard,
        n_traps=len(traps),
        n_failed_traps=missed,
        n_gold=len(gold),
        n_failed_gold=wrong,
        variance=variance,
        reference_mos=reference,
        n_reference_ratings=len(natural),
        repeat_difference=difference,
        headphone_score=headphones,
        is_partial=known.is_partial if known else None,
        n_skipped=known.n_skipped if known else None,
        screened_before=screened_before,
        kept=not reasons,
        reasons="; ".join(reasons),
    )


def _above(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value > limit


def _below(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value < limit
