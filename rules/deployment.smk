# Optional: every system in other forms than PyTorch's, and chunk by chunk as a stream.


rule sweep_deployments:
    input:
        checkpoint=f"{RESULTS}/checkpoints/{{system}}.ckpt",
        mels=measured_with("mels.npy"),
    output:
        forms=f"{RESULTS}/measurements/deployment/{{system}}.csv",
        chunks=f"{RESULTS}/measurements/streaming/{{system}}.csv",
    log:
        f"{RESULTS}/logs/sweep_deployments/{{system}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sweep_deployments/{{system}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: whole_machine
    resources:
        gpu=gpus_per_job,
        slurm_extra="--exclusive",
    params:
        system=system_to_generate,
        protocol=energy_protocol(),
        energy_settings=beside(config_json("energy")),
        deployment_settings=config_json("measurements", "deployment"),
        meter_backend=config["meter"]["backend"],
        meter_settings=beside(config_json("meter")),
        device=config["device"],
        seed=config["seed"],
        program=program("sweep_deployments"),
        code=system_code_version("sweep_deployments", "vocoder"),
    message:
        "Measuring {wildcards.system} in other forms and as a stream, alone on the machine."
    shell:
        "python {params.program:q} --checkpoint {input.checkpoint:q} --system {params.system:q} --mels {input.mels:q}"
        " --energy-settings {params.energy_settings:q}"
        " --deployment-settings {params.deployment_settings:q} --meter-settings {params.meter_settings:q}"
        " --device {params.device:q} --seed {params.seed} --output-forms {output.forms:q}"
        " --output-chunks {output.chunks:q} &> {log:q}"


rule draw_deployments:
    input:
        form_tables=expand(f"{RESULTS}/measurements/deployment/{{system}}.csv", system=SYSTEMS),
        chunk_tables=expand(f"{RESULTS}/measurements/streaming/{{system}}.csv", system=SYSTEMS),
    output:
        figures=multiext(f"{RESULTS}/deployment_sweeps", *FIGURE_SUFFIXES),
        figure_table=f"{RESULTS}/figure_tables/deployment_sweeps.csv",
    log:
        f"{RESULTS}/logs/draw_deployments.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        meter_settings=assumptions_of_meter(),
        figure_settings=config_json("figures"),
        labels=model_labels(),
        program=program("draw_deployments"),
        code=code_version("draw_deployments"),
    message:
        "Drawing energy in other forms, and of streams against their latency."
    shell:
        "python {params.program:q} --form-tables {input.form_tables:q} --chunk-tables {input.chunk_tables:q}"
        " --meter-settings {params.meter_settings:q} --figure-settings {params.figure_settings:q}"
        " --labels {params.labels:q} --output-figure-table {output.figure_table:q}"
        " --output-figures {output.figures:q} &> {log:q}"


rule deployment_sweeps:
    input:
        rules.draw_deployments.output,
