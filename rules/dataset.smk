# From recordings to clips of equal length, and to mel-spectrograms.
from vocoder_pareto.study.program_settings import dataset_settings, format_settings


rule prepare_clips:
    input:
        corpus=CORPUS.metadata or [],
    output:
        clips=f"{RESULTS}/dataset/clips.npy",
        table=f"{RESULTS}/dataset/clips.csv",
        skipped=f"{RESULTS}/dataset/skipped.csv",
    log:
        f"{RESULTS}/logs/prepare_clips.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare_clips.tsv"
    conda:
        "../envs/audio.yaml"
    threads: 8
    resources:
        mem_mb=2000,
        runtime=30,
        corpus=corpus_folder,  # no param: a corpus that moved is the same, params.corpus tells what lies in it
    params:
        dataset=canonical_json(dataset_settings(config)),
        corpus=corpus_version,
        program=program("prepare_clips"),
        code=code_version("prepare_clips"),
    message:
        "Cutting the recordings into clips."
    shell:
        "python {params.program:q} --dataset {params.dataset:q} --corpus {resources.corpus:q}"
        " --processes {threads} --clips {output.clips:q} --table {output.table:q} --skipped {output.skipped:q} &> {log:q}"


rule compute_mels:
    input:
        clips=f"{RESULTS}/dataset/clips.npy",
        table=f"{RESULTS}/dataset/clips.csv",
    output:
        mels=f"{RESULTS}/dataset/mels.npy",
        ranges=f"{RESULTS}/dataset/mel_ranges.npy",
        stats=f"{RESULTS}/dataset/mel_stats.json",
    log:
        f"{RESULTS}/logs/compute_mels.log",
    benchmark:
        f"{RESULTS}/benchmarks/compute_mels.tsv"
    conda:
        "../envs/audio.yaml"
    threads: 8
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        format=canonical_json(format_settings(config)),
        normalization=config["mel"]["normalization"],
        program=program("compute_mels"),
        code=code_version("compute_mels"),
    message:
        "Computing mel-spectrograms."
    shell:
        "python {params.program:q} --clips {input.clips:q} --table {input.table:q} --format {params.format:q}"
        " --normalization {params.normalization:q} --processes {threads} --mels {output.mels:q} --ranges {output.ranges:q}"
        " --stats {output.stats:q} &> {log:q}"
