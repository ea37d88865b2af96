# From the dataset to 18 checkpoints, within a budget of steps, hours or energy.


rule train:
    input:
        clips=f"{RESULTS}/dataset/clips.npy",
        table=f"{RESULTS}/dataset/clips.csv",
        mels=f"{RESULTS}/dataset/mels.npy",
        given=given_weights,
    output:
        checkpoint=f"{RESULTS}/checkpoints/{{system}}.ckpt",
        summary=f"{RESULTS}/training/{{system}}/summary.json",
        metrics=f"{RESULTS}/training/{{system}}/metrics.csv",
    log:
        f"{RESULTS}/logs/train/{{system}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{system}}.tsv"
    # Resumable state lies beside the outputs and is none of them, so Snakemake never deletes it.
    retries: config["training"]["retries"]
    conda:
        "../envs/torch.yaml"
    threads: 2
    resources:
        gpu=gpus_per_job,
        mem_mb=16000,
        runtime=minutes_of_training_job,
    params:
        state=subpath(output.summary, parent=True),
        system=system_to_train,
        settings=training_settings,
        meter=config_json("meter"),
        carbon=config_json("carbon"),
        device=config["device"],
        seed=config["seed"],
        program=program("train"),
        code=system_code_version("train", "vocoder", "objective"),
    message:
        "Training {wildcards.system}."
    shell:
        "python {params.program:q} --system {params.system:q} --training-settings {params.settings:q} --clips {input.clips:q}"
        " --table {input.table:q} --mels {input.mels:q} --meter {params.meter:q} --carbon {params.carbon:q}"
        " --device {params.device:q} --seed {params.seed} --state {params.state:q}"
        " --checkpoint {output.checkpoint:q} --summary {output.summary:q} --metrics {output.metrics:q} &>> {log:q}"
