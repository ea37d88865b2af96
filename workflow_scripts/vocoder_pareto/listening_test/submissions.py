"""What is known of a session as a whole beside its ratings."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Submission:
    """A file of results that holds one session of one participant.

    Attributes:
        identifier: A text that is drawn once per session on the participant's device.
        participant: The participant's code.
        session: The number of the prepared session.
        finished_at: ISO 8601, UTC; empty if the participant stopped early.
        n_planned: How many sounds the session has, practice and checks among them.
        n_answered: How many of them have a row in the file, whether it is valid or not.
        n_skipped: How many sounds could not be played.
        person: What the link told of who takes part, such as a PROLIFIC_PID; empty if nothing.
        headphone_score: The best number of right answers, of 6, in the check for headphones; None without one.
    """

    identifier: str
    participant: str
    session: str
    finished_at: str
    n_planned: int
    n_answered: int
    n_skipped: int = 0
    person: str = ""
    headphone_score: int | None = None

    @property
    def is_partial(self) -> bool:
        """Whether the participant stopped before the last sound."""
        return self.n_answered + self.n_skipped < self.n_planned
