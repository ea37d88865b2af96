"""What became of all ratings that were read: rejected, screened out, used. Files, captions and the terminal tell it."""

from collections.abc import Sequence
from dataclasses import dataclass

from vocoder_pareto.listening_test.ratings import Rating, Responses
from vocoder_pareto.listening_test.screening import ScreenedSession


@dataclass(frozen=True)
class RatingCounts:
    """How many ratings there were; `n_read` is the sum of the five that follow it.

    Attributes:
        n_read: Rows of all files.
        n_used: Ratings that the MOS is made of.
        n_screened_out: Ratings of sessions that did not pass the screening.
        n_checks: Attention checks, gold, practice and repeats, which never count.
        n_rejected: Rows that were no valid ratings.
        n_sent_again: Rows of sessions that were sent before.
        n_sessions: Sessions that were read.
        n_sessions_screened_out: Sessions that did not pass the screening.
        n_sessions_partial: Sessions that ended before their last sound, where their platform tells.
        n_sounds_skipped: Sounds that could not be played, where their platform tells.
    """

    n_read: int
    n_used: int
    n_screened_out: int
    n_checks: int
    n_rejected: int
    n_sent_again: int
    n_sessions: int
    n_sessions_screened_out: int
    n_sessions_partial: int
    n_sounds_skipped: int

    @property
    def sentence(self) -> str:
        """The numbers in a sentence for captions."""
        early = f"; {self.n_sessions_partial} ended early" if self.n_sessions_partial else ""
        return (
            f"Ratings: {self.n_used:,} used, {self.n_screened_out:,} screened out "
            f"({self.n_sessions_screened_out} of {self.n_sessions} sessions{early}), {self.n_rejected:,} rejected."
        )


def count_ratings(
    responses: Responses, counting: Sequence[Rating], sessions: Sequence[ScreenedSession]
) -> RatingCounts:
    """The counts of `responses`, of which `counting` enter the MOS, after the screening of `sessions`."""
    countable = sum(rating.counts_for_mos for rating in responses.ratings)
    sent_again = sum(row.sent_again for row in responses.rejected)
    return RatingCounts(
        n_read=len(responses.ratings) + len(responses.rejected),
        n_used=len(counting),
        n_screened_out=countable - len(counting),
        n_checks=len(responses.ratings) - countable,
        n_rejected=len(responses.rejected) - sent_again,
        n_sent_again=sent_again,
        n_sessions=len(sessions),
        n_sessions_screened_out=sum(not session.kept for session in sessions),
        n_sessions_partial=sum(each.is_partial for each in responses.submissions.values()),
        n_sounds_skipped=sum(each.n_skipped for each in responses.submissions.values()),
    )
