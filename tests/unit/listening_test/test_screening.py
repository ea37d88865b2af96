import numpy as np
import pytest
from seeds import seed_of

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.ratings import Rating
from vocoder_pareto.listening_test.screening import screen
from vocoder_pareto.study.sections.listening_test import ScreeningSettings

CAREFUL = [
    ("ground_truth", 5, {}),
    ("melgan-S", 2, {}),
    ("hifigan-S", 4, {}),
    ("", 3, {"is_trap": True, "expected": 3}),
    ("ground_truth", 2, {"is_gold": True, "expected": 1}),
    ("melgan-S", 3, {"is_repeat": True}),
    ("ground_truth", 1, {"is_training": True}),
]


def session(rows=CAREFUL, participant="p1", **fields):
    return [
        Rating(participant, "1", system, "c1", score, played_to_end=True, **{**flags, **fields})
        for system, score, flags in rows
    ]


def with_row(index, score=None, **flags):
    rows = list(CAREFUL)
    system, old, old_flags = rows[index]
    rows[index] = (system, score or old, {**old_flags, **flags})
    return rows


def reasons_of(rows, **settings):
    counting, report = screen([*session(participant="honest"), *session(rows)], ScreeningSettings(**settings))
    honest, examined = report
    assert honest.kept
    assert examined.kept == (examined.reasons == "") == any(rating.participant == "p1" for rating in counting)
    return examined.reasons


def test_a_careful_session_counts_without_its_checks_training_and_repeats():
    counting, (report,) = screen(session(), ScreeningSettings())
    assert [(rating.system, rating.rating) for rating in counting] == [
        ("ground_truth", 5), ("melgan-S", 2), ("hifigan-S", 4)
    ]  # fmt: skip
    assert report.kept
    assert (report.n_ratings, report.n_traps, report.n_failed_traps, report.n_gold, report.n_failed_gold) == (
        3,
        1,
        0,
        1,
        0,
    )
    assert report.variance == pytest.approx(14 / 9)
    assert (report.reference_mos, report.repeat_difference) == (5, 1)


def test_a_missed_attention_check_screens_out():
    assert reasons_of(with_row(3, score=4)) == "1 of 1 attention checks missed"


def test_gold_may_be_off_by_the_tolerance_and_no_more():
    assert reasons_of(with_row(4, score=3)) == "1 of 1 gold sounds scored wrong"
    assert reasons_of(with_row(4, score=3), gold_tolerance=2) == ""


def test_natural_speech_below_the_bound_screens_out():
    screened = {"min_variance": None, "min_reference_ratings": 1}
    assert reasons_of(with_row(0, score=2), **screened) == "natural speech scored 2.00"


@pytest.mark.parametrize(("ratings", "kept"), [(7, True), (8, False)])
def test_natural_speech_screens_only_where_enough_of_it_was_scored(ratings, kept):
    rows = [*CAREFUL[1:], *[("ground_truth", 2, {})] * ratings]
    honest = session(participant="honest")
    _, (_, report) = screen([*honest, *session(rows)], ScreeningSettings())
    assert (report.n_reference_ratings, report.kept) == (ratings, kept)


def test_screening_by_natural_speech_hardly_moves_the_natural_speech_of_honest_listeners():
    """Simulated: leniency 0.4, noise 0.9, true 4.2, by the model of an honest panel; the plain mean is the outside."""
    generator = np.random.default_rng(seed_of(0))
    moved = {}
    for count in (1, ScreeningSettings().min_reference_ratings):
        settings = ScreeningSettings(min_variance=None, min_reference_ratings=1)
        scores = 4.2 + generator.normal(scale=0.4, size=(3000, 1)) + generator.normal(scale=0.9, size=(3000, count))
        scores = np.clip(np.round(scores), 1, 5).astype(int)
        ratings = [Rating(f"p{listener}", "1", "ground_truth", f"c{clip}", int(score))
                   for listener, row in enumerate(scores) for clip, score in enumerate(row)]  # fmt: skip
        counting, _ = screen(ratings, settings)
        moved[count] = np.mean([rating.rating for rating in counting]) - scores.mean()
    assert moved[1] > 0.07
    assert abs(moved[ScreeningSettings().min_reference_ratings]) < 0.03


def test_what_a_platform_has_screened_is_kept_and_not_mixed_up_with_other_sessions():
    careless = session(with_row(3, score=5), participant="crowd", is_screened=True)
    counting, report = screen(
        [*careless, *session(with_row(3, score=5)), *session(participant="h")], ScreeningSettings()
    )
    assert [(each.kept, each.screened_before) for each in report] == [(True, True), (False, False), (True, False)]
    assert report[0].n_failed_traps == 1
    assert {rating.participant for rating in counting} == {"crowd", "h"}


def test_scores_that_are_all_alike_screen_out():
    alike = [(system, 3 if not flags else score, flags) for system, score, flags in CAREFUL]
    assert reasons_of(alike) == "variance of scores 0.00"


def test_a_sound_that_was_not_heard_whole_screens_out():
    rows = list(CAREFUL)
    ratings = session(rows)
    ratings[1] = Rating("p1", "1", "melgan-S", "c1", 2, played_to_end=False)
    counting, report = screen([*session(participant="honest"), *ratings], ScreeningSettings())
    assert report[1].reasons == "1 sounds not played to the end"
    assert {rating.participant for rating in counting} == {"honest"}


def test_platforms_that_do_not_tell_whether_sounds_were_heard_whole_pass():
    unknown = [Rating("p1", "1", rating.system, "c1", rating.rating) for rating in session()[:3]]
    assert screen(unknown, ScreeningSettings())[1][0].kept


def test_inconsistent_repeats_screen_out_where_a_limit_is_set():
    inconsistent = with_row(5, score=5)
    assert reasons_of(inconsistent) == ""
    assert reasons_of(inconsistent, max_repeat_difference=2.0) == "repeats differ by 3.00"


def test_all_reasons_are_reported():
    rows = with_row(3, score=5)
    rows[4] = ("ground_truth", 5, {"is_gold": True, "expected": 1})
    assert reasons_of(rows) == "1 of 1 attention checks missed; 1 of 1 gold sounds scored wrong"


def test_checks_that_are_switched_off_are_reported_and_reject_nothing():
    off = {"full_playback": False, "max_failed_traps": None, "max_failed_gold": None, "min_variance": None,
           "min_reference_mos": None}  # fmt: skip
    careless = [(system, 1, flags) for system, _, flags in CAREFUL]
    counting, (report,) = screen(session(careless), ScreeningSettings(**off))
    assert len(counting) == 3
    assert (report.n_failed_traps, report.kept) == (1, True)


def test_sessions_of_one_participant_are_judged_apart():
    good, bad = session(), [
        Rating("p1", "2", system, "c2", 5, **{**flags, "played_to_end": True}) for system, _, flags in CAREFUL
    ]  # fmt: skip
    counting, report = screen([*good, *bad], ScreeningSettings())
    assert [entry.kept for entry in report] == [True, False]
    assert {rating.session for rating in counting} == {"1"}


def test_nothing_left_is_an_error_with_a_reason():
    with pytest.raises(UserError, match=r"none of 1 sessions passes.*p1: 1 of 1 attention checks missed"):
        screen(session(with_row(3, score=4)), ScreeningSettings())


def test_sessions_of_practice_alone_are_no_fault_of_the_screening():
    with pytest.raises(UserError, match=r"all 7 ratings are checks, practice or repeats, and none is left for a MOS"):
        screen(session(is_training=True), ScreeningSettings())
