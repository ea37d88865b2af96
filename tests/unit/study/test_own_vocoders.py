"""What the configuration takes for a vocoder of one's own: a class is enough, and says whether it has its weights."""

from pathlib import Path

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.class_settings import brings_weights
from vocoder_pareto.study.configuration import checked
from vocoder_pareto.study.studied_systems import (
    judged_systems,
    systems_of,
    systems_of_random_weights,
    training_settings,
)
from vocoder_pareto.study.yaml_files import over_defaults

PROJECT = Path(__file__).parents[3]
ADAPTER = """
from vocoder_pareto.models.adapters import MelVocoder


class Plain(MelVocoder):
    pass


class Brought(MelVocoder):
    brings_weights: bool = True


class Inherited(Brought):
    pass


class Refused(Brought):
    brings_weights = False


class Computed(MelVocoder):
    brings_weights = bool(1)
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "mine.py").write_text(ADAPTER)
    return tmp_path / "mine.py"


def study(file, kind, training=None, **own):
    models = {"mine": {"vocoder": f"{file}:{kind}", "sizes": {"S": {}}, **own}}
    return checked(
        over_defaults(
            {"models": models, "systems": ["mine-S", "melgan-S"], "training": training or {}}, PROJECT / "config.yaml"
        )
    )


@pytest.mark.parametrize("training", [{"steps": 0}, {"steps": 1000}, {"steps": None, "hours": 2.0}])
def test_a_class_alone_has_a_cost_whatever_the_budget_of_the_others(file, training):
    config = study(file, "Plain", training)
    assert training_settings(config, "mine", "S").is_untrained
    assert systems_of_random_weights(config) == ["mine-S"]
    assert judged_systems(config) == ([] if training["steps"] == 0 else ["melgan-S"])
    assert systems_of(config)[0].objective is None


def test_a_class_with_given_weights_is_judged(file):
    config = study(file, "Plain", training={"steps": 0}, sizes={"S": {"training": {"checkpoint": "weights.pt"}}})
    assert judged_systems(config) == ["mine-S"]
    assert systems_of_random_weights(config) == []


@pytest.mark.parametrize(
    ("kind", "brings"),
    [("Plain", False), ("Brought", True), ("Inherited", True), ("Refused", False), ("Computed", False)],
)
def test_whether_a_class_brings_its_weights_is_read_where_it_is_written_out(file, kind, brings):
    assert brings_weights(f"{file}:{kind}") is brings
    config = study(file, kind)
    assert judged_systems(config) == (["mine-S"] if brings else [])
    assert systems_of_random_weights(config) == ([] if brings else ["mine-S"])


def test_no_vocoder_of_the_study_brings_its_weights(file):
    config = study(file, "Plain")
    assert not any(brings_weights(family["vocoder"]) for family in config["models"].values())


@pytest.mark.parametrize("key", ["steps", "learning_rate"])
def test_settings_of_a_training_that_nothing_does_are_refused(file, key):
    models = {"mine": {"vocoder": f"{file}:Plain", "sizes": {"S": {}}, "training": {"steps": 5, "learning_rate": 1.0}}}
    config = over_defaults({"models": models, "systems": ["mine-S"]}, PROJECT / "config.yaml")
    with pytest.raises(UserError, match=rf"models\.mine\.training\.{key}: nothing trains mine; name its Objective"):
        checked(config)


def test_an_architecture_that_an_adapter_does_not_declare_has_no_keys(file):
    with pytest.raises(UserError, match=r"models\.mine\.architecture\.channels: unknown"):
        study(file, "Plain", architecture={"channels": 3})
