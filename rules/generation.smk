# Reconstructions of the test set: by the systems, of which the study asks for the judged ones, and by the references.


rule generate_audio:
    input:
        checkpoint=f"{RESULTS}/checkpoints/{{system}}.ckpt",
        mels=judged_of("mels.npy"),
        utterance_table=judged_of("utterances.csv"),
        mel_stats=of_dataset("mel_stats.json"),
    output:
        manifest=f"{RESULTS}/generated/{{system}}/manifest.csv",
    log:
        f"{RESULTS}/logs/generate_audio/{{system}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/generate_audio/{{system}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 2
    resources:
        gpu=gpus_per_job,
        mem_mb=8000,
        runtime=240,
    params:
        system=system_to_generate,
        compared_rate=config["evaluation"]["sample_rate"],
        batch_size=beside(config["generation"]["batch_size"]),
        chunk_frames=beside(config_json("generation", "chunk_frames")),
        seed=config["seed"],
        device=beside(config["device"]),
        program=program("generate_audio"),
        code=system_code_version("generate_audio", "vocoder"),
    message:
        "Generating the test set with {wildcards.system}."
    shell:
        "python {params.program:q} --checkpoint {input.checkpoint:q} --system {params.system:q} --mels {input.mels:q}"
        " --utterance-table {input.utterance_table:q} --mel-stats {input.mel_stats:q}"
        " --batch-size {params.batch_size} --chunk-frames {params.chunk_frames:q}"
        " --compared-rate {params.compared_rate} --seed {params.seed}"
        " --device {params.device:q} --output {output.manifest:q} &> {log:q}"


rule generate_reference:
    input:
        corpus=CORPUS.metadata or [],
        mels=f"{RESULTS}/evaluation/{PAPER}/mels.npy",
        utterance_table=f"{RESULTS}/evaluation/{PAPER}/utterances.csv",
    output:
        manifest=f"{RESULTS}/generated/{{reference}}/manifest.csv",
    log:
        f"{RESULTS}/logs/generate_reference/{{reference}}.log",
    wildcard_constraints:
        reference="|".join(REFERENCE_SYSTEMS),
    conda:
        "../envs/audio.yaml"
    threads: 4
    resources:
        mem_mb=4000,
        runtime=120,
        corpus=corpus_folder,  # no param: a corpus that moved is the same, params.corpus tells what lies in it
    params:
        corpus=corpus_version,
        dataset_settings=canonical_json(dataset_settings(config)),
        front_end_settings=config_json("front_ends", PAPER),
        compared_rate=config["evaluation"]["sample_rate"],
        iterations=config["generation"]["griffin_lim_iterations"],
        seed=config["seed"],
        program=program("generate_reference"),
        code=code_version("generate_reference"),
    message:
        "Writing the test set as {wildcards.reference}."
    shell:
        "python {params.program:q} --reference {wildcards.reference} --corpus {resources.corpus:q}"
        " --dataset-settings {params.dataset_settings:q} --mels {input.mels:q}"
        " --utterance-table {input.utterance_table:q} --front-end-settings {params.front_end_settings:q}"
        " --compared-rate {params.compared_rate} --iterations {params.iterations}"
        " --seed {params.seed} --processes {threads} --output {output.manifest:q} &> {log:q}"
