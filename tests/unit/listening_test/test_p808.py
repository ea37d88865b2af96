import csv
from dataclasses import replace

import numpy as np
import pytest
from seeds import seed_of

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.planning import plan_test
from vocoder_pareto.listening_test.responses import read_responses
from vocoder_pareto.listening_test.screening import screen
from vocoder_pareto.study.sections.listening_test import LoudnessSettings, ScreeningSettings


def test_p808_lists_address_all_sounds_of_their_kind(exported, plan):
    rows = list(csv.DictReader((exported / "p808" / "rating_clips.csv").open()))
    assert [row["rating_clips"] for row in rows] == [
        f"https://example.org/clips/{stimulus.name}.wav" for stimulus in plan.stimuli_of("rating")
    ]


def test_p808_checks_come_with_their_answers(exported, plan):
    traps = list(csv.DictReader((exported / "p808" / "trapping_clips.csv").open()))
    assert [int(row["trapping_ans"]) for row in traps] == [stimulus.expected for stimulus in plan.stimuli_of("trap")]
    gold = list(csv.DictReader((exported / "p808" / "gold_clips.csv").open()))
    assert [row["gold_clips_ans"] for row in gold] == ["1"]


def test_votes_of_the_p808_toolkit_are_resolved_by_their_file_names(folder, key, systems):
    first, second = [stimulus for stimulus in key.stimuli if stimulus.kind == "rating"][:2]
    rows = [
        "HITId,workerid,file,short_file_name,vote,Unknown",
        f"H1,W1,https://example.org/{first.name}.wav,{first.name}.wav,2,NoCondition",
        f"H1,W2,https://example.org/{first.name}.wav,{first.name}.wav,3,NoCondition",
        f"H2,W1,https://example.org/{first.name}.wav,{first.name}.wav,5,NoCondition",
        f"H2,W1,https://example.org/{second.name}.wav,{second.name}.wav,,NoCondition",
        "H2,W1,https://example.org/other.wav,other.wav,3,NoCondition",
    ]
    (folder / "batch_votes_per_worker_acr.csv").write_text("\n".join(rows))
    responses = read_responses(folder, systems, max_rejected_share=1)
    assert [(r.participant, r.session, r.system, r.rating) for r in responses.ratings] == [
        ("W1", "H1", first.system, 2),
        ("W2", "H1", first.system, 3),
    ]
    assert len(responses.rejected) == 3


def crowd(key, generator, workers=40):
    """Votes of honest workers: leniency 0.4, noise 0.9, natural speech at 4.2, once in a session.

    Returns:
        Rows of the toolkit's file, and the plain mean of natural speech.
    """
    stimuli = {system: [each for each in key.stimuli if each.kind == "rating" and each.system == system]
               for system in key.systems}  # fmt: skip
    true = dict(zip(key.systems, (4.2, 1.5, 2.5, 3.5, 3.9), strict=True))
    rows, natural = ["HITId,workerid,file,vote"], []
    for worker in range(workers):
        leniency = generator.normal(scale=0.4)
        for hit in range(len(stimuli["ground_truth"])):
            for system in key.systems:
                score = int(np.clip(round(true[system] + leniency + generator.normal(scale=0.9)), 1, 5))
                rows.append(f"H{hit},W{worker},https://example.org/{stimuli[system][hit].name}.wav,{score}")
                natural += [score] * (system == "ground_truth")
    return rows, np.mean(natural)


def test_votes_that_the_toolkit_has_screened_are_not_screened_again(folder, key, systems):
    """The outside is the plain mean: to screen by the one natural clip of a session would raise it by 0.1."""
    rows, natural = crowd(key, np.random.default_rng(seed_of(0)))
    (folder / "batch_votes_per_worker_acr.csv").write_text("\n".join(rows))
    ratings = read_responses(folder, systems).ratings
    counting, report = screen(ratings, ScreeningSettings())
    assert len(counting) == len(rows) - 1
    assert all(session.kept and session.screened_before for session in report)
    assert np.mean([r.rating for r in counting if r.system == "ground_truth"]) == pytest.approx(natural)
    again = [replace(rating, is_screened=False) for rating in ratings]
    counting, _ = screen(again, ScreeningSettings(min_reference_ratings=1))
    assert np.mean([r.rating for r in counting if r.system == "ground_truth"]) > natural + 0.01


def test_votes_on_the_audio_of_an_older_export_are_refused(folder, key, manifests, design, texts, systems):
    """After training anew the same clips of the same systems sound differently, and have other names."""
    older = plan_test(
        manifests, design, LoudnessSettings(target_lufs=-26), texts, texts.labels("paper"), seed_of(0)
    ).key
    rows, _ = crowd(older, np.random.default_rng(seed_of(1)), workers=2)
    (folder / "batch_votes_per_worker_acr.csv").write_text("\n".join(rows))
    with pytest.raises(UserError, match=r"holds no valid rating .*is not in the key, so it is not of this export"):
        read_responses(folder, systems)
