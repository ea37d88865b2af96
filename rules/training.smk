# From the dataset to checkpoints, within a budget of steps, hours or energy; with 0 steps, the initial weights.


rule train:
    input:
        clips=of_dataset("clips.npy"),
        clip_table=of_dataset("clips.csv"),
        mels=of_dataset("mels.npy"),
        mel_stats=of_dataset("mel_stats.json"),
    output:
        checkpoint=f"{RESULTS}/checkpoints/{{system}}.ckpt",
        training_summary=f"{RESULTS}/training/{{system}}/summary.json",
        training_curve=f"{RESULTS}/training/{{system}}/metrics.csv",
    log:
        f"{RESULTS}/logs/train/{{system}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{system}}.tsv"
    wildcard_constraints:
        system=any_of(system for system in SYSTEMS if not are_given(system)),
    # Resumable state lies beside the outputs and is none of them, so Snakemake never deletes it.
    retries: config["training"]["retries"]
    conda:
        "../envs/torch.yaml"
    threads: threads_of_training
    resources:
        gpu=gpus_of_training,
        mem_mb=16000,
        runtime=minutes_of_training_job,
    params:
        state=subpath(output.training_summary, parent=True),
        system=system_to_train,
        sampling_settings=beside(sampling_of_system),
        determining=determining_settings,
        training_settings=beside(training_settings),
        meter_settings=beside(config_json("meter")),
        carbon_settings=beside(config_json("carbon")),
        device=beside(config["device"]),
        seed=config["seed"],
        program=program("train"),
        code=system_code_version("train", "vocoder", "objective"),
    message:
        "Training {wildcards.system}."
    shell:
        "python {params.program:q} --system {params.system:q} --sampling-settings {params.sampling_settings:q}"
        " --training-settings {params.training_settings:q} --clips {input.clips:q} --clip-table {input.clip_table:q}"
        " --mels {input.mels:q} --mel-stats {input.mel_stats:q} --meter-settings {params.meter_settings:q}"
        " --carbon-settings {params.carbon_settings:q} --device {params.device:q} --seed {params.seed}"
        " --output-state {params.state:q} --output-checkpoint {output.checkpoint:q}"
        " --output-training-summary {output.training_summary:q}"
        " --output-training-curve {output.training_curve:q} &>> {log:q}"
