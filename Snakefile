# The study as a directed acyclic graph: corpus → clips → mels → checkpoints → audio → measurements → tables → figures.
# Targets: `snakemake` (all), `snakemake published`, `snakemake leaderboard`, or any file below `results/`.
from snakemake.utils import min_version

min_version("9.1")


include: "rules/home.smk"


configfile: HOME / "config.yaml"


include: "rules/common.smk"
include: "rules/params_of_systems.smk"
include: "rules/params_of_study.smk"
include: "rules/start_and_end.smk"
include: "rules/corpus.smk"
include: "rules/dataset.smk"
include: "rules/training.smk"
include: "rules/weights.smk"
include: "rules/generation.smk"
include: "rules/measurement.smk"
include: "rules/deployment.smk"
include: "rules/quality.smk"
include: "rules/analysis.smk"
include: "rules/listening_test.smk"
include: "rules/paired_test.smk"
include: "rules/published.smk"
include: "rules/leaderboard.smk"
include: "rules/report.smk"
include: "rules/stored_results.smk"


rule all:
    default_target: True
    input:
        STUDY,
