import re
from dataclasses import replace

import pytest
import yaml
from response_files import reasons

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.responses import read_responses
from vocoder_pareto.listening_test.webmushra import write_webmushra

# --------------------------------------------------------------------- export


@pytest.fixture(scope="module")
def webmushra(exported):
    return yaml.safe_load((exported / "webmushra" / "configs" / "vocoder_pareto_list1.yaml").read_text())


def test_webmushra_has_a_configuration_per_list(exported):
    names = sorted(file.name for file in (exported / "webmushra" / "configs").glob("*.yaml"))
    assert names == ["vocoder_pareto_list1.yaml", "vocoder_pareto_list2.yaml"]


def test_webmushra_pages_are_what_it_expects(webmushra, exported):
    assert webmushra["remoteService"] == "service/write.php"
    shuffled = next(page for page in webmushra["pages"] if isinstance(page, list))
    assert shuffled[0] == "random"
    training = [page for page in webmushra["pages"] if isinstance(page, dict) and "response" in page]
    assert len(training) == 2
    for page in (*shuffled[1:], *training):
        assert page["type"] == "likert_single_stimulus"
        assert {"id", "name", "content"} <= set(page)
        assert (page["mustRate"], page["mustPlayback"]) == (True, "ended")
        ((name, path),) = page["stimuli"].items()
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name)
        assert (exported / "webmushra" / path).is_file()
        assert [response["value"] for response in page["response"]] == [1, 2, 3, 4, 5]
        assert all(isinstance(response["label"], str) for response in page["response"])


def test_webmushra_asks_for_the_participant_at_the_end(webmushra):
    finish = webmushra["pages"][-1]
    assert finish["type"] == "finish"
    (question,) = finish["questionnaire"]
    assert (question["name"], question["optional"]) == ("participant_id", False)


def test_webmushra_rates_the_list_with_its_checks_each_sound_once(webmushra, plan):
    shuffled = next(page for page in webmushra["pages"] if isinstance(page, list))
    rated = [next(iter(page["stimuli"])) for page in shuffled[1:]]
    session = next(session for session in plan.key.sessions if session.list_id == 1)
    assert sorted(rated) == sorted(set(session.trials))


def test_webmushra_ids_are_unique(webmushra):
    ids = [page["id"] for page in webmushra["pages"] if isinstance(page, dict) and "id" in page]
    ids += [page["id"] for page in next(page for page in webmushra["pages"] if isinstance(page, list))[1:]]
    assert len(ids) == len(set(ids))


def test_webmushra_texts_are_escaped(plan, texts, export_settings, tmp_path):
    write_webmushra(plan, tmp_path, replace(export_settings, texts=replace(texts, welcome=("a <b> & c",))))
    content = yaml.safe_load((tmp_path / "configs" / "vocoder_pareto_list1.yaml").read_text())
    assert "a &lt;b&gt; &amp; c" in content["pages"][0]["content"]


# -------------------------------------------------------------------- results


def webmushra_table(rows, header="session_test_id,participant_id,trial_id,stimuli_rating,stimuli,rating_time"):
    return "\n".join([header, *rows, ""])


def test_results_of_webmushra_are_resolved_by_the_key(folder, key, systems):
    name = next(stimulus.name for stimulus in key.stimuli if stimulus.kind == "rating")
    trap = next(stimulus for stimulus in key.stimuli if stimulus.kind == "trap")
    # webMUSHRA's service writes a rating with a blank on either side.
    rows = [f'vocoder_pareto_x_list2,p1,trial_{name}," 4 ",{name},2345',
            f'vocoder_pareto_x_list2,p1,trial_{trap.name}," 1 ",{trap.name},999']  # fmt: skip
    (folder / "lss.csv").write_text(webmushra_table(rows))
    rating, check = read_responses(folder, systems).ratings
    assert (rating.system, rating.utterance) == (
        key.stimulus_by_name[name].system,
        key.stimulus_by_name[name].utterance,
    )
    assert (rating.participant, rating.rating, rating.time_ms, rating.list_id) == ("p1", 4, 2345, "2")
    assert (check.is_trap, check.expected) == (True, trap.expected)


def test_missing_ratings_and_unknown_conditions_of_webmushra_are_rejected(folder, key, systems):
    first, second = [stimulus.name for stimulus in key.stimuli if stimulus.kind == "rating"][:2]
    rows = [f"t,p1,x,5,{first},1", f"t,p1,x,NA,{second},1", "t,p1,x,3,C1,1", f"t,,x,3,{second},1", "t,p1"]
    (folder / "lms.csv").write_text(webmushra_table(rows))
    responses = read_responses(folder, systems)
    assert len(responses.ratings) == 1
    assert reasons(responses) == [
        "rating is missing",
        "condition 'C1' is not in the key",
        "participant is empty",
        "condition None is not in the key",
    ]  # fmt: skip


def test_results_of_webmushra_without_participants_are_refused(folder, systems):
    header = "session_test_id,trial_id,stimuli_rating,stimuli,rating_time"
    (folder / "lss.csv").write_text(webmushra_table(["t,x,3,s1,1"], header))
    with pytest.raises(UserError, match=r"lss\.csv: has no column participant_id"):
        read_responses(folder, systems)


def test_results_of_webmushra_without_a_column_are_refused(folder, systems):
    (folder / "lss.csv").write_text("participant_id,stimuli,stimuli_rating\np1,s1,3\n")
    with pytest.raises(UserError, match="column session_test_id is missing"):
        read_responses(folder, systems)
