import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.targets import require_targets_in


@pytest.mark.parametrize("command", [["results/systems.csv"], ["-c", "2", "-n", "--", "a.csv", "results/systems.csv"]])
def test_a_target_below_the_usual_folder_names_the_one_that_is_configured(command):
    message = r"^results/systems\.csv: results go to out/paper .*results_dir.* ask for out/paper/systems\.csv"
    with pytest.raises(UserError, match=message):
        require_targets_in("out/paper", command)


@pytest.mark.parametrize(
    ("results", "command"),
    [
        ("results", ["results/systems.csv"]),
        ("out", ["out/systems.csv", "published"]),
        ("out", ["--report", "results/report.html", "out/systems.csv"]),
        ("results/paper", ["--configfile", "results/own.yaml"]),
        ("out", []),
    ],
)
def test_other_words_are_left_alone(results, command):
    require_targets_in(results, command)
