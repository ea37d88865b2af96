"""The listening test: who rates what, how it sounds, which answers count, how they become a MOS."""

import re
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.sections.paths import OptionalPath
from vocoder_pareto.study.settings import STRICT

LinkId = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,40}$")]


@dataclass(frozen=True, config=STRICT)
class DesignSettings:
    """Who rates what."""

    items: int = Field(default=2, ge=1, le=10_000)
    """Test clips that are rated, each in every system (>= 1); at most generation.clips."""

    lists: int = Field(default=1, ge=1, le=10_000)
    """Shares of all ratings (>= 1, a divisor of items): a participant rates one share. In each, every system comes
    items / lists times, and every clip equally often, give or take one."""

    participants: int = Field(default=12, ge=1, le=100_000)
    """Sessions to prepare, each with its own order (>= 1); a multiple of lists keeps the balance."""

    training: int = Field(default=2, ge=0, le=1000)
    """Trials to begin with that do not count (>= 0)."""

    traps: int = Field(default=2, ge=0, le=1000)
    """Attention checks: a voice says which score to choose (>= 0)."""

    gold: int = Field(default=1, ge=0, le=1000)
    """Clips drowned in noise, which must get the worst score (>= 0)."""

    repeats: int = Field(default=2, ge=0, le=1000)
    """Sounds that come again, to see how consistent a participant is (>= 0)."""

    def __post_init__(self):
        if self.items % self.lists:
            raise ValueError(
                f"items is {self.items} and lists {self.lists}; items must be a multiple of lists, "
                "so that every participant hears each system equally often"
            )


@dataclass(frozen=True, config=STRICT)
class LoudnessSettings:
    """Loudness of all sounds (EBU R128)."""

    target_lufs: float = Field(default=-23.0, ge=-60, le=-5)
    """Integrated loudness in LUFS (-60 to -5)."""

    peak_dbfs: float = Field(default=-1.0, ge=-20, le=0)
    """Largest peak in dB of full scale (-20 to 0); a sound that would exceed it stays quieter."""


@dataclass(frozen=True, config=STRICT)
class PageSettings:
    """Our own page."""

    scale: str = Field(default="paper", min_length=1)
    """Labels of the scores: paper (1 bad … 5 perfect) | acr (bad, poor, fair, good, excellent)."""

    submit_url: str = Field(default="", pattern="^(https?://.+)?$", examples=["https://…", "http://…", '""'])
    """Address that the page posts the answers to as JSON; "" : participants save a file."""

    contact: str = Field(default="", pattern=r"^([^@\s]+@[^@\s]+)?$", examples=["name@host", '""'])
    """E-mail address to send that file to; "" : none is shown."""

    ids_from_link: tuple[LinkId, ...] = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
    """Parts of the page's address (`?PROLIFIC_PID=…`) that are kept with the answers where they are given, with a word
    in the consent. The first names the person: answers of one person under several codes count as one participant's."""

    completion_code: str = ""
    """Code that is shown once all is rated and sent; "" : none."""

    return_url: str = Field(default="", pattern="^(https?://.+)?$", examples=["https://…", "http://…", '""'])
    """Address that participants are led back to then, such as
    https://app.prolific.com/submissions/complete?cc={code}; {code} stands for the completion code, and the names of
    ids_from_link for what the link told. "" : none."""

    headphone_check: Literal["none", "record", "require"] = "none"
    """Check for headphones before the test (Woods et al. 2017): none | record (its result is kept, see
    screening.min_headphone_score) | require (who fails it twice cannot go on)."""

    def __post_init__(self):
        if len(set(self.ids_from_link)) < len(self.ids_from_link):
            raise ValueError("ids_from_link names one twice")
        unknown = set(re.findall(r"\{(.*?)\}", self.return_url)) - {"code", *self.ids_from_link}
        if unknown:
            raise ValueError(
                f"return_url holds {{{min(unknown)}}}; allowed: {{code}} and the names of ids_from_link in braces"
            )


@dataclass(frozen=True, config=STRICT)
class ScreeningSettings:
    """Checks that a session must pass; null switches one off."""

    full_playback: bool = True
    """Every sound was heard to its end, where that is known: true | false."""

    max_failed_traps: int | None = Field(default=0, ge=0, le=1000)
    """Attention checks that may be missed (>= 0)."""

    max_failed_gold: int | None = Field(default=0, ge=0, le=1000)
    """Drowned clips that may be scored wrong (>= 0), …"""

    gold_tolerance: int = Field(default=1, ge=0, le=4)
    """… by more than so many points (>= 0)."""

    min_variance: float | None = Field(default=0.1, ge=0, le=4)
    """Least variance of the scores (>= 0): below, everything was scored alike."""

    min_reference_mos: float | None = Field(default=3.0, ge=1, le=5)
    """Least mean score of natural speech (1 to 5), …"""

    min_reference_ratings: int = Field(default=8, ge=1, le=10_000)
    """… in sessions with so many scores of it (>= 1): with fewer, honest low scores are taken for carelessness, and the
    MOS of natural speech rises."""

    min_headphone_score: int | None = Field(default=5, ge=0, le=6)
    """Least number of right answers, of 6, in the check for headphones (0 to 6), where page.headphone_check asked for
    it."""

    max_repeat_difference: float | None = Field(default=None, ge=0, le=4)
    """Largest mean difference between the two scores of sounds that came twice (>= 0)."""


@dataclass(frozen=True, config=STRICT)
class StatisticsSettings:
    """How ratings become a MOS."""

    other_sentences: bool = True
    """Intervals and tests hold for other listeners and other sentences, of which those of the test are a sample (true),
    or for other listeners on these sentences alone (false: narrower, and possible with one sentence)."""

    replicates: int = Field(default=2000, ge=100, le=1_000_000)
    """Sets of ratings that the fitted mixed model gives again, to find the degrees of freedom of its variances
    (>= 100)."""

    alpha: float = Field(default=0.05, gt=0, lt=1)
    """Level of significance of pairwise tests, after Holm's correction over all pairs (0 to 1)."""

    power: float = Field(default=0.8, gt=0, lt=1)
    """Power that a test should have: power.csv and the export tell which differences it finds with it (0 to 1)."""


@dataclass(frozen=True, config=STRICT)
class PairedSettings:
    """A test of chosen pairs beside that of all systems: two systems are heard one after the other and compared."""

    pairs: tuple[tuple[str, str], ...] = ()
    """Pairs of systems, such as [[hifigan-S, melgan-S]]; []: there is no such test."""

    scale: Literal["cmos", "ab"] = "cmos"
    """What is asked: cmos (the second is much worse … much better, -3 to 3: comparison category rating of ITU-T P.800)
    | ab (which one sounds more natural)."""

    items: int = Field(default=10, ge=1, le=10_000)
    """Test clips that each pair is heard with (>= 1)."""

    participants: int = Field(default=12, ge=1, le=100_000)
    """Sessions to prepare (>= 1); each has every pair with every clip, and half of them in either order."""

    training: int = Field(default=1, ge=1, le=1000)
    """Trials to begin with that do not count (>= 1)."""

    gold: int = Field(default=1, ge=0, le=1000)
    """Trials with natural speech and the same drowned in noise (>= 0): who finds the noise better is screened out."""

    responses: OptionalPath = None
    """Folder of the answers, with paired_key.json of the export beside them. null: there are none."""

    def __post_init__(self):
        for number, pair in enumerate(self.pairs):
            if pair[0] == pair[1]:
                raise ValueError(f"pairs has {pair[0]} against itself; name two systems")
            if set(pair) in [set(other) for other in self.pairs[:number]]:
                raise ValueError(f"pairs has {pair[0]} and {pair[1]} twice; name each pair once, in either order")


@dataclass(frozen=True, config=STRICT)
class ListeningTestSettings:
    """The listening test as a whole."""

    responses: OptionalPath = None
    """Folder of the answers: files that our page saved or received, webMUSHRA's lss.csv, the P.808 Toolkit's
    *_votes_per_worker*.csv, or a table with the columns participant, system, item, rating; with key.json of the export
    beside them. null: there are none, and MOS is the published one."""

    max_rejected_share: float = Field(default=0.05, ge=0, le=1)
    """Largest share of the rows of all answers that may be no valid ratings (0 to 1), such as scores off the scale or
    unknown systems; more of them stop the analysis."""

    simulate: int | None = Field(default=None, ge=1, le=100_000)
    """Only for demonstrations: so many simulated listeners (1 to design.participants) answer. Everything made from them
    is marked as simulated. null: none."""

    texts: OptionalPath = None
    """All words of the test, a file such as resources/listening_test/texts.json in another language. null: English."""

    design: DesignSettings = DesignSettings()
    """Who rates what."""

    loudness: LoudnessSettings = LoudnessSettings()
    """Loudness of all sounds (EBU R128)."""

    page: PageSettings = PageSettings()
    """Our own page."""

    p808_base_url: str = Field(
        default="https://example.org/stimuli", pattern="^https?://", examples=["https://…", "http://…"]
    )
    """Address of the folder that the sounds are uploaded to, for the lists of the P.808 Toolkit."""

    screening: ScreeningSettings = ScreeningSettings()
    """Checks that a session must pass; null switches one off. screening.csv reports them all."""

    statistics: StatisticsSettings = StatisticsSettings()
    """How ratings become a MOS."""

    paired: PairedSettings = PairedSettings()
    """A test of chosen pairs beside that of all systems: two systems are heard one after the other and compared."""

    def __post_init__(self):
        if self.responses and self.simulate:
            raise ValueError(
                "responses and simulate are both set; set one: answers of people and of a simulated panel never mix"
            )
        if self.simulate and self.simulate > self.design.participants:
            raise ValueError(
                f"simulate is {self.simulate} and design.participants {self.design.participants}; at most as many "
                "simulated listeners answer as sessions are prepared"
            )
