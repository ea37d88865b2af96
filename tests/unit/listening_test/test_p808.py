import csv

from vocoder_pareto.listening_test.responses import read_responses


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
        f"H2,W1,https://example.org/{second.name}.wav,{second.name}.wav,12,NoCondition",
        "H2,W1,https://example.org/other.wav,other.wav,3,NoCondition",
    ]
    (folder / "batch_votes_per_worker_acr.csv").write_text("\n".join(rows))
    responses = read_responses(folder, systems)
    assert [(r.participant, r.session, r.system, r.rating) for r in responses.ratings] == [
        ("W1", "H1", first.system, 2),
        ("W2", "H1", first.system, 3),
    ]
    assert len(responses.rejected) == 3
