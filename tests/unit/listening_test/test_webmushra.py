import csv
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from response_files import reasons

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.key import write_key
from vocoder_pareto.listening_test.responses import read_responses
from vocoder_pareto.listening_test.webmushra import write_webmushra

# Page types that webMUSHRA knows, as its startup.js lists them.
KNOWN_PAGES = {
    "generic", "consent", "volume", "mushra", "spatial", "paired_comparison", "bs1116", "likert_single_stimulus",
    "likert_multi_stimulus", "finish",
}  # fmt: skip
HOSTILE = "a <b> & c: \"quoted\" \\ 'single' #1 [x, y] {z} - - é 日本 😀\nnext\u2028line"
QUESTION = "Wie natürlich klingt das? – « tout à fait »"

# --------------------------------------------------------------------- export


@pytest.fixture(scope="module")
def configurations(exported):
    return sorted((exported / "webmushra" / "configs").glob("*.yaml"))


@pytest.fixture(scope="module")
def webmushra(configurations):
    return yaml.safe_load(configurations[0].read_text())


@pytest.fixture(scope="module")
def session(plan):
    return plan.key.session_by_number[1]


def pages_of_type(content, name):
    return [page for page in content["pages"] if page["type"] == name]


def test_every_session_has_a_configuration_and_every_participant_a_link_to_it(exported, configurations, plan):
    assert len(configurations) == len(plan.key.sessions)
    rows = list(csv.DictReader((exported / "invitations.csv").open()))
    names = [row["webmushra_link"].removeprefix("?config=") for row in rows]
    assert sorted(names) == [path.name for path in configurations]
    for row, name in zip(rows, names, strict=True):
        content = yaml.safe_load((exported / "webmushra" / "configs" / name).read_text())
        (question,) = content["pages"][-1]["questionnaire"]
        assert (question["name"], question["default"], question["optional"]) == (
            "participant_id", row["participant"], False
        )  # fmt: skip


def test_pages_are_what_webmushra_expects(webmushra, exported):
    assert webmushra["remoteService"] == "service/write.php"
    assert {page["type"] for page in webmushra["pages"]} <= KNOWN_PAGES
    for page in pages_of_type(webmushra, "likert_single_stimulus"):
        assert {"id", "name", "content"} <= set(page)
        assert (page["mustRate"], page["mustPlayback"]) == (True, "ended")
        ((name, path),) = page["stimuli"].items()
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name)
        assert (exported / "webmushra" / path).is_file()
        assert [response["value"] for response in page["response"]] == [1, 2, 3, 4, 5]
        assert all(isinstance(response["label"], str) for response in page["response"])
    assert (exported / "webmushra" / pages_of_type(webmushra, "volume")[0]["stimulus"]).is_file()
    assert webmushra["pages"][-1]["type"] == "finish"
    assert webmushra["pages"][-1]["showErrors"] is True


def test_consent_is_asked_before_anything_is_heard(webmushra):
    kinds = [page["type"] for page in webmushra["pages"]]
    assert kinds[:4] == ["generic", "consent", "generic", "volume"]
    assert webmushra["pages"][1]["mustConsent"] is True


def test_webmushra_promises_nothing_that_it_does_not_keep(webmushra):
    """It writes scores, times and the code into lss.csv, neither plays nor devices, which our own page does."""
    told = " ".join(page["content"] for page in webmushra["pages"][:2])
    assert not re.search(r"how often|headphones are|whether you use|nothing else|code below", told, re.I)
    assert "with the time" in told


def test_a_session_is_heard_in_its_order_with_checks_and_repeats(webmushra, session):
    heard = [next(iter(page["stimuli"])) for page in pages_of_type(webmushra, "likert_single_stimulus")]
    assert heard == [*session.training, *session.trials]
    assert len(set(heard)) < len(heard)  # it has repeats


def test_ids_are_unique(webmushra):
    ids = [page["id"] for page in webmushra["pages"]]
    assert len(ids) == len(set(ids))


def test_texts_are_escaped(plan, texts, export_settings, tmp_path):
    write_webmushra(plan, tmp_path, replace(export_settings, texts=replace(texts, welcome=("a <b> & c",))))
    content = yaml.safe_load((tmp_path / "configs" / "vocoder_pareto_session1.yaml").read_text())
    assert "a &lt;b&gt; &amp; c" in content["pages"][0]["content"]


# ------------------------------------------------------- webMUSHRA's own reader


@pytest.fixture
def hostile_export(plan, texts, export_settings, tmp_path):
    hostile = replace(texts, title=HOSTILE, welcome=(HOSTILE, "word " * 1000), question=QUESTION)
    write_webmushra(plan, tmp_path, replace(export_settings, texts=hostile))
    return tmp_path / "configs" / "vocoder_pareto_session1.yaml"


def test_the_yaml_has_none_of_what_webmushras_reader_breaks_at(hostile_export, configurations):
    """yaml.js 0.3 was tried: nested dashes, escapes of letters and U+2028 break it; flows and folds are not needed."""
    for path in (hostile_export, configurations[0]):
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            assert re.fullmatch(r' *(- )?\w+:( (-?[\d.]+|true|false|null|"([^"\\]|\\["\\])*"))?', line), line
            assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", line)


def yamljs(script, text):
    """What a script of Node.js prints as JSON, which has yaml.js 0.3 as `YAML` and `text` as its input."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node.js")
    begin = "const YAML = require('yamljs'); const text = require('fs').readFileSync(0, 'utf8');"
    done = subprocess.run([node, "-e", begin + script], input=text.encode(), capture_output=True)
    if b"Cannot find module 'yamljs'" in done.stderr:
        pytest.skip("needs yamljs: npm install yamljs@0.3, and NODE_PATH set to its node_modules")
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_webmushras_own_reader_reads_what_a_full_reader_reads(hostile_export, configurations):
    """yaml.js 0.3 is the reader in webMUSHRA, byte for byte; PyYAML is the other."""
    for path in (hostile_export, configurations[0]):
        text = path.read_text(encoding="utf-8")
        assert yamljs("console.log(JSON.stringify(YAML.parse(text)))", text) == yaml.safe_load(text)


def test_what_an_ordinary_writer_writes_breaks_webmushras_reader():
    """So the test above can tell: it is what PyYAML makes of a nested list."""
    text = yaml.safe_dump({"pages": [["random", {"type": "generic"}]]})
    assert "- - random" in text
    assert yamljs("console.log(JSON.stringify(YAML.parse(text)))", text) != yaml.safe_load(text)


# -------------------------------------------------------------------- results

HEADER = "session_test_id,participant_id,trial_id,stimuli_rating,stimuli,rating_time"


def submission(key, number, participant, score=3, time=1000):
    """Rows as webMUSHRA's write.php appends them when a session is sent."""
    session = key.session_by_number[number]
    return [
        f"vocoder_pareto_{key.test_id},{participant},session{number}_sound{place}_{name},"
        f"{key.stimulus_by_name[name].expected or score},{name},{time + place}"
        for place, name in enumerate((*session.training, *session.trials), start=1)
    ]


def save_lss(folder, rows, header=HEADER):
    (folder / "lss.csv").write_text("\n".join([header, *rows, ""]))


def test_ids_of_results_are_those_of_the_configurations(configurations, plan):
    """The rows below begin where the exported configuration ends: webMUSHRA writes testId, id and the name."""
    content = yaml.safe_load(configurations[0].read_text())
    trials = pages_of_type(content, "likert_single_stimulus")
    told = [(content["testId"], page["id"], next(iter(page["stimuli"]))) for page in trials]
    rows = [tuple(row.split(",")) for row in submission(plan.key, 1, "p1")]
    assert told == [(row[0], row[2], row[4]) for row in rows]


def test_results_are_resolved_by_the_key(folder, key, systems, session):
    save_lss(folder, submission(key, 1, "p1"))
    responses = read_responses(folder, systems)
    assert not responses.rejected
    assert len(responses.ratings) == len(session.training) + len(session.trials)
    assert sum(rating.counts_for_mos for rating in responses.ratings) == 10
    for place, rating in enumerate(responses.ratings):
        stimulus = key.stimulus_by_name[(*session.training, *session.trials)[place]]
        assert (rating.system, rating.utterance) == (stimulus.system, stimulus.utterance)
        assert (rating.participant, rating.session, rating.trial_index, rating.time_ms) == (
            "p1", "1", place, 1001 + place
        )  # fmt: skip
    assert [sum(getattr(rating, flag) for rating in responses.ratings) for flag in
            ("is_training", "is_trap", "is_gold", "is_repeat")] == [2, 2, 1, 2]  # fmt: skip


def test_two_people_who_type_the_same_name_both_count(folder, key, systems):
    save_lss(folder, [*submission(key, 1, "anna"), *submission(key, 3, "anna", score=4)])  # sessions of one list
    responses = read_responses(folder, systems)
    assert not responses.rejected
    assert {rating.participant for rating in responses.ratings} == {"anna (p1)", "anna (p3)"}


def test_two_people_at_one_link_both_count_and_the_experimenter_is_told(folder, key, systems):
    save_lss(folder, [*submission(key, 1, "p1"), *submission(key, 1, "p1", score=4, time=5000)])
    responses = read_responses(folder, systems)
    assert not responses.rejected
    scores = {}
    for rating in responses.ratings:
        if rating.counts_for_mos:
            scores.setdefault(rating.participant, set()).add(rating.rating)
    assert scores == {"p1": {3}, "p1 #2": {4}}
    (note,) = responses.notes
    assert "session 1 came twice from p1" in note


def test_a_session_that_was_sent_twice_counts_once(folder, key, systems):
    save_lss(folder, submission(key, 1, "p1") * 2)
    responses = read_responses(folder, systems)
    assert sum(rating.counts_for_mos for rating in responses.ratings) == 10
    assert set(reasons(responses)) == {"duplicate submission of p1, session 1"}
    assert not responses.notes


def test_missing_ratings_and_unknown_conditions_are_rejected(folder, key, systems):
    rows = submission(key, 1, "p1")
    test, _, trial, _, name, _ = rows[5].split(",")
    bad = [f"{test},p2,{trial},NA,{name},1", f"{test},p2,x,3,C1,1", f"{test},,{trial},3,{name},1",
           f"{test},p2,{trial.replace('sound6', 'sound7')},3,{name},1", f"{test},p2,session9_sound1_{name},3,{name},1",
           f"{test},p2"]  # fmt: skip
    save_lss(folder, [*rows, *bad])
    responses = read_responses(folder, systems, max_rejected_share=1)
    assert len(responses.ratings) == len(rows)
    assert reasons(responses) == [
        "rating is missing",
        "condition 'C1' is not in the key",
        "participant is empty",
        f"trial_id 'session1_sound7_{name}' is not in the key",
        f"trial_id 'session9_sound1_{name}' is not in the key",
        "condition '' is not in the key",
    ]


def test_results_of_another_export_are_refused(folder, key, systems):
    save_lss(folder, submission(key, 1, "p1"))
    write_key(folder / "key.json", replace(key, test_id="0123456789ab"))
    with pytest.raises(
        UserError, match=rf"line 2 belongs to the test 'vocoder_pareto_{key.test_id}', but key\.json to"
    ):
        read_responses(folder, systems)


def test_results_without_participants_are_refused(folder, systems):
    save_lss(folder, ["t,x,3,s1,1"], "session_test_id,trial_id,stimuli_rating,stimuli,rating_time")
    with pytest.raises(UserError, match=r"lss\.csv: has no column participant_id"):
        read_responses(folder, systems)


def test_results_without_a_column_are_refused(folder, systems):
    (folder / "lss.csv").write_text("participant_id,stimuli,stimuli_rating\np1,s1,3\n")
    with pytest.raises(UserError, match="column session_test_id is missing"):
        read_responses(folder, systems)


def test_the_makers_of_translations_are_told_which_words_are_missing(texts):
    with pytest.raises(ValueError, match=r"webmushra\.finish is missing"):
        replace(texts, webmushra={"consent": [], "volume": "", "sent": ""})


def test_nothing_is_sent_that_webmushra_would_cut(plan, exported):
    """It posts JSON as it is, so that & ends it and + becomes a blank: no name of ours has either."""
    for path in Path(exported / "webmushra" / "configs").glob("*.yaml"):
        content = yaml.safe_load(path.read_text())
        trials = pages_of_type(content, "likert_single_stimulus")
        sent = [
            path.name,
            content["testId"],
            *(page["id"] for page in trials),
            content["pages"][-1]["questionnaire"][0]["name"],
        ]
        assert all(re.fullmatch(r"[\w.]+", word) for word in sent)


def test_files_that_were_joined_with_their_header_lines_are_refused_by_the_line(folder, key, systems):
    rows = submission(key, 1, "p1")
    save_lss(folder, [*rows, HEADER, *submission(key, 3, "p3")])
    with pytest.raises(
        UserError, match=rf"lss\.csv: line {len(rows) + 2} repeats the names of the columns; take it out"
    ):
        read_responses(folder, systems)
