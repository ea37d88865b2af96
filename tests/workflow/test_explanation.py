"""explain_changes.py tells of the real Snakefile, and of what Snakemake really recorded, what changed and where."""

import re

import pytest
import torch
from project import TINY_CONFIG, Project, warm_snakemake

pytestmark = pytest.mark.workflow

MELS, CLIPS = "results/dataset/paper/mels.npy", "results/dataset/paper/clips.npy"


def explained(project: Project, *targets: str) -> tuple[dict[tuple[str, str], set[str]], list[str]]:
    """The reasons by rule and what it works on, and the lines below the table."""
    words = ["workflow_scripts/explain_changes.py", *targets, "--config-files", TINY_CONFIG]
    result = warm_snakemake().run(words, project.folder)
    assert result.returncode == 0, result.stderr
    table, rows = {}, result.stdout.splitlines()
    below = [row for row in rows if row.startswith("The training of ")]
    why = rows[0].index("why")
    for row in rows[1 : len(rows) - len(below)]:
        if not row.startswith(" "):
            rule, _, of = re.fullmatch(r"(\w+) +(\d+) *(.*?) *", row[:why]).groups()
        table.setdefault((rule, of), set()).add(row[why:])
    return table, below


def test_keys_content_and_missing_files_of_a_dataset_are_told(study):
    study.edit(TINY_CONFIG, "clips: 20", "clips: 21")
    (study.folder / MELS).unlink()
    table, _ = explained(study, MELS)
    clips = {"dataset.clips: 20 → 21"}
    missing = {f"missing: {MELS}"}
    assert table == {
        ("synthesize_corpus", ""): clips,
        ("prepare_clips", "paper"): clips | {"follows: synthesize_corpus"},
        ("compute_mels", "paper"): missing | {"follows: prepare_clips"},
    }
    recordings = sorted((study.folder / "results/data/synthetic").rglob("*.wav"))
    for name in ("corpus", "edited"):
        (study.folder / name).mkdir()
        for recording in recordings:
            content = bytearray(recording.read_bytes())
            content[-1] ^= name == "edited" and recording == recordings[7]
            (study.folder / name / recording.name).write_bytes(content)
    own = "source: folder\n  path: corpus\n  clips: 20"
    study.edit(TINY_CONFIG, "source: synthetic\n  clips: 21", own)
    study.snakemake("--", CLIPS)
    study.edit(TINY_CONFIG, "path: corpus", "path: edited")
    table, _ = explained(study, CLIPS)
    assert table == {("prepare_clips", "paper"): {f"content of the recordings: changed: {recordings[7].name}"}}


def test_settings_and_code_of_systems_and_the_states_that_their_trainings_find_are_told(study):
    melgan = study.folder / "workflow_scripts/vocoder_pareto/models/melgan.py"
    melgan.write_text(melgan.read_text() + "\n\nEDITED = True\n")
    study.edit(TINY_CONFIG, "learning_rate: 1.0e-3", "learning_rate: 2.0e-3")
    (file,) = (study.folder / "results/training/melgan-S").glob("*/state.pt")
    state = torch.load(file, weights_only=True)
    state["record"]["seconds"] = 118 * 3600.0
    torch.save(state, file)
    table, below = explained(study)
    assert table["train", "melgan-{M,S}"] == {"code: models.melgan"}
    assert table["train", "sinusoids-S"] == {"models.sinusoids.training.learning_rate: 0.001 → 0.002"}
    assert table["measure_quality", "melgan-{M,S}, sinusoids-S"] == {"follows: generate_audio"}
    told = {line.split()[3]: line for line in below}
    made = r"made by other code \(changed: models.melgan\)"
    assert re.search(rf"is refused, since there are 2 steps \(118.0 h\) {made}; set training", told["melgan-S"])
    assert re.search(rf"begins at step 0 and leaves 2 steps \(.*\) {made}", told["melgan-M"])
    assert told["sinusoids-S"].endswith("begins at step 0.")
    # As told, so done.
    result = study.snakemake("--", "results/checkpoints/melgan-S.ckpt", check=False)
    assert re.search(rf"training.other_code: melgan-S would begin .* 2 steps \(118.0 h\) of it, {made}", result.stderr)
    study.edit(TINY_CONFIG, "  steps: 2\n", "  steps: 3\n  other_code: adopt\n")
    study.snakemake("--", "results/checkpoints/melgan-S.ckpt")
    weights = torch.load(study.folder / "results/checkpoints/melgan-S.ckpt", weights_only=True)
    assert weights["training"]["steps"] == 3
    assert [each["changed_code"] for each in weights["training"]["adopted_from"]] == [["models.melgan"]]
