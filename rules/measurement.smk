# Parameters and FLOPs of every system; its energy, measured here alone on the machine or taken from a stored set.


rule measure_complexity:
    output:
        measurement=f"{RESULTS}/measurements/complexity/{{system}}.json",
    log:
        f"{RESULTS}/logs/measure_complexity/{{system}}.log",
    conda:
        "../envs/torch.yaml"
    params:
        system=system_to_generate,
        convention_settings=published_convention,
        program=program("measure_complexity"),
        code=system_code_version("measure_complexity", "vocoder"),
    message:
        "Counting parameters and FLOPs of {wildcards.system}."
    shell:
        "python {params.program:q} --system {params.system:q} --convention-settings {params.convention_settings:q}"
        " --output {output.measurement:q} &> {log:q}"


if config["measurements"]["from"] is None:

    include: "measured_energy.smk"

else:

    include: "stored_energy.smk"


rule sweep_energy:
    input:
        checkpoint=f"{RESULTS}/checkpoints/{{system}}.ckpt",
        mels=measured_with("mels.npy"),
    output:
        sweep=f"{RESULTS}/measurements/sweeps/{{system}}.csv",
    log:
        f"{RESULTS}/logs/sweep_energy/{{system}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sweep_energy/{{system}}.tsv"
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
        sweep_settings=config_json("measurements", "sweep"),
        meter_backend=config["meter"]["backend"],
        meter_settings=beside(config_json("meter")),
        records=records_beside,
        device=config["device"],
        seed=config["seed"],
        program=program("sweep_energy"),
        code=system_code_version("sweep_energy", "vocoder"),
    message:
        "Measuring {wildcards.system} against batch size and precision, alone on the machine."
    shell:
        "python {params.program:q} --checkpoint {input.checkpoint:q} --system {params.system:q} --mels {input.mels:q}"
        " --energy-settings {params.energy_settings:q}"
        " --sweep-settings {params.sweep_settings:q} --meter-settings {params.meter_settings:q}"
        " --device {params.device:q} --seed {params.seed} --output-records {params.records:q}"
        " --output {output.sweep:q} &> {log:q}"


rule draw_sweeps:
    input:
        sweep_tables=expand(f"{RESULTS}/measurements/sweeps/{{system}}.csv", system=SYSTEMS),
    output:
        figures=multiext(f"{RESULTS}/energy_sweeps", *FIGURE_SUFFIXES),
        figure_table=f"{RESULTS}/figure_tables/energy_sweeps.csv",
    log:
        f"{RESULTS}/logs/draw_sweeps.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        meter_settings=assumptions_of_meter(),
        figure_settings=config_json("figures"),
        labels=model_labels(),
        program=program("draw_sweeps"),
        code=code_version("draw_sweeps"),
    message:
        "Drawing energy against batch size and precision."
    shell:
        "python {params.program:q} --sweep-tables {input.sweep_tables:q} --meter-settings {params.meter_settings:q}"
        " --figure-settings {params.figure_settings:q} --labels {params.labels:q}"
        " --output-figure-table {output.figure_table:q} --output-figures {output.figures:q} &> {log:q}"


rule energy_sweeps:
    input:
        rules.draw_sweeps.output,


rule profile_layers:
    output:
        profile=f"{RESULTS}/measurements/layers/{{system}}.csv",
    log:
        f"{RESULTS}/logs/profile_layers/{{system}}.log",
    conda:
        "../envs/torch.yaml"
    threads: whole_machine
    resources:
        gpu=gpus_per_job,
        slurm_extra="--exclusive",
    params:
        system=system_to_generate,
        device=config["device"],
        program=program("profile_layers"),
        code=system_code_version("profile_layers", "vocoder"),
    message:
        "Profiling the layers of {wildcards.system}."
    shell:
        "python {params.program:q} --system {params.system:q} --device {params.device:q} --output {output.profile:q}"
        " &> {log:q}"


rule layer_profiles:
    input:
        expand(f"{RESULTS}/measurements/layers/{{system}}.csv", system=SYSTEMS),
