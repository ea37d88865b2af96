# From recordings to what vocoders take in, once for each front end in use: clips of equal length to train on, utterances
# to judge, and clips to measure energy with.
from vocoder_pareto.study.program_settings import dataset_settings


rule prepare_clips:
    input:
        corpus=CORPUS.metadata or [],
    output:
        clips=f"{RESULTS}/dataset/{{front_end}}/clips.npy",
        clip_table=f"{RESULTS}/dataset/{{front_end}}/clips.csv",
        skipped=f"{RESULTS}/dataset/{{front_end}}/skipped.csv",
        dataset_summary=f"{RESULTS}/dataset/{{front_end}}/dataset_summary.json",
    log:
        f"{RESULTS}/logs/prepare_clips/{{front_end}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare_clips/{{front_end}}.tsv"
    conda:
        "../envs/audio.yaml"
    threads: 8
    resources:
        mem_mb=2000,
        runtime=30,
        corpus=corpus_folder,  # no param: a corpus that moved is the same, params.corpus tells what lies in it
    params:
        dataset_settings=canonical_json(dataset_settings(config)),
        sample_rate=sample_rate_of_clips,
        clip_samples=samples_of_clips,
        corpus=corpus_version,
        test_list=beside(TEST_LIST),  # no input: a list that moved is the same list
        listed=content(*TEST_LIST),
        seed=seed_of_split(),
        program=program("prepare_clips"),
        code=code_version("prepare_clips"),
    message:
        "Cutting the recordings into clips for the front end {wildcards.front_end}."
    # What became of the recordings is told on the terminal, too, before they are trained on for days.
    shell:
        "python {params.program:q} --corpus {resources.corpus:q} --dataset-settings {params.dataset_settings:q}"
        " --sample-rate {params.sample_rate} --clip-samples {params.clip_samples} --test-list {params.test_list:q}"
        " --seed {params.seed} --processes {threads}"
        " --output-clips {output.clips:q} --output-clip-table {output.clip_table:q} --output-skipped {output.skipped:q}"
        " --output-dataset-summary {output.dataset_summary:q} &> {log:q}"
        " && grep '^Dataset: ' {log:q} >&2"


rule compute_mels:
    input:
        clips=f"{RESULTS}/dataset/{{front_end}}/clips.npy",
        clip_table=f"{RESULTS}/dataset/{{front_end}}/clips.csv",
    output:
        mels=f"{RESULTS}/dataset/{{front_end}}/mels.npy",
        mel_ranges=f"{RESULTS}/dataset/{{front_end}}/mel_ranges.npy",
        mel_stats=f"{RESULTS}/dataset/{{front_end}}/mel_stats.json",
    log:
        f"{RESULTS}/logs/compute_mels/{{front_end}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/compute_mels/{{front_end}}.tsv"
    conda:
        "../envs/audio.yaml"
    threads: 8
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        front_end_settings=settings_of_front_end,
        program=program("compute_mels"),
        code=code_version("compute_mels"),
    message:
        "Computing mel-spectrograms by the front end {wildcards.front_end}."
    shell:
        "python {params.program:q} --clips {input.clips:q} --clip-table {input.clip_table:q}"
        " --front-end-settings {params.front_end_settings:q} --processes {threads}"
        " --output-mels {output.mels:q} --output-mel-ranges {output.mel_ranges:q}"
        " --output-mel-stats {output.mel_stats:q} &> {log:q}"


rule prepare_utterances:
    input:
        corpus=CORPUS.metadata or [],
        clip_table=f"{RESULTS}/dataset/{{front_end}}/clips.csv",
        mel_stats=f"{RESULTS}/dataset/{{front_end}}/mel_stats.json",
    output:
        utterance_table=f"{RESULTS}/evaluation/{{front_end}}/utterances.csv",
        mels=f"{RESULTS}/evaluation/{{front_end}}/mels.npy",
    log:
        f"{RESULTS}/logs/prepare_utterances/{{front_end}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare_utterances/{{front_end}}.tsv"
    conda:
        "../envs/audio.yaml"
    threads: 8
    resources:
        mem_mb=4000,
        runtime=30,
        corpus=corpus_folder,  # no param, see prepare_clips
    params:
        dataset_settings=canonical_json(dataset_settings(config)),
        front_end_settings=settings_of_front_end,
        max_clips=config_json("generation", "clips"),
        max_seconds=config_json("evaluation", "seconds"),
        corpus=corpus_version,
        program=program("prepare_utterances"),
        code=code_version("prepare_utterances"),
    message:
        "Preparing the utterances that are judged for the front end {wildcards.front_end}."
    # What cannot be judged is told on the terminal, too.
    shell:
        "python {params.program:q} --corpus {resources.corpus:q} --dataset-settings {params.dataset_settings:q}"
        " --clip-table {input.clip_table:q} --mel-stats {input.mel_stats:q}"
        " --front-end-settings {params.front_end_settings:q} --max-clips {params.max_clips:q}"
        " --max-seconds {params.max_seconds:q} --processes {threads}"
        " --output-utterance-table {output.utterance_table:q} --output-mels {output.mels:q} &> {log:q}"
        " && (grep '^Evaluation: ' {log:q} >&2 || true)"


rule cut_energy_clips:
    input:
        corpus=CORPUS.metadata or [],
        clip_table=f"{RESULTS}/dataset/{{front_end}}/clips.csv",
        mel_stats=f"{RESULTS}/dataset/{{front_end}}/mel_stats.json",
    output:
        clips=f"{RESULTS}/measurements/input/{{front_end}}/clips.npy",
        mels=f"{RESULTS}/measurements/input/{{front_end}}/mels.npy",
        mel_ranges=f"{RESULTS}/measurements/input/{{front_end}}/mel_ranges.npy",
    log:
        f"{RESULTS}/logs/cut_energy_clips/{{front_end}}.log",
    conda:
        "../envs/audio.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
        corpus=corpus_folder,  # no param, see prepare_clips
    params:
        dataset_settings=canonical_json(dataset_settings(config)),
        front_end_settings=settings_of_front_end,
        clip_count=ENERGY.clips,
        clip_seconds=ENERGY.clip_seconds,
        corpus=corpus_version,
        program=program("cut_energy_clips"),
        code=code_version("cut_energy_clips"),
    message:
        "Cutting the clips to measure energy with for the front end {wildcards.front_end}."
    # A test set that is too short is told on the terminal, too.
    shell:
        "python {params.program:q} --corpus {resources.corpus:q} --dataset-settings {params.dataset_settings:q}"
        " --clip-table {input.clip_table:q} --mel-stats {input.mel_stats:q}"
        " --front-end-settings {params.front_end_settings:q} --clip-count {params.clip_count}"
        " --clip-seconds {params.clip_seconds} --output-clips {output.clips:q} --output-mels {output.mels:q}"
        " --output-mel-ranges {output.mel_ranges:q} &> {log:q}"
        " && (grep '^Energy: ' {log:q} >&2 || true)"
