"""Nothing that is read (checkpoints, arrays, answers, metadata, settings) can run code: no call here could do it."""

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

EVALUATING = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "subprocess.getoutput", "pickle.load",
    "pickle.loads", "marshal.loads", "shelve.open", "joblib.load", "yaml.load", "yaml.full_load", "yaml.unsafe_load",
    "pandas.read_pickle", "pd.read_pickle", "pd.eval", "pandas.eval",
}  # fmt: skip


def faults_of(source: str) -> list[str]:
    """The calls in `source` that may run what they read, as text."""
    faults = []
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        arguments = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        unsafe = (
            name in EVALUATING
            or (name == "torch.load" and arguments.get("weights_only") != "True")
            or arguments.get("allow_pickle", "False") != "False"
            or "shell" in arguments
        )
        if unsafe:
            faults.append(ast.unparse(call))
    return faults


def test_no_call_can_run_what_it_reads():
    files = sorted((PROJECT / "workflow_scripts").rglob("*.py"))
    faults = {file.name: faults_of(file.read_text(encoding="utf-8")) for file in files}
    assert len(files) > 100
    assert {name: calls for name, calls in faults.items() if calls} == {}


@pytest.mark.parametrize(
    "call",
    [
        "eval(text)",
        "yaml.load(file)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "subprocess.run(command, shell=True)",
    ],
)
def test_such_a_call_would_be_found(call):
    assert faults_of(f"if True:\n    value = {call}") == [call]


def test_safe_calls_are_none():
    assert faults_of("torch.load(p, weights_only=True); np.load(p); model.eval()") == []
