# The energy of every system, every front end and every reference system that computes, measured here.


rule measure_energy:
    input:
        checkpoint=f"{RESULTS}/checkpoints/{{system}}.ckpt",
        complexity_measurement=f"{RESULTS}/measurements/complexity/{{system}}.json",
        mels=measured_with("mels.npy"),
    output:
        measurement=f"{RESULTS}/measurements/energy/{{system}}.json",
    log:
        f"{RESULTS}/logs/measure_energy/{{system}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_energy/{{system}}.tsv"
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
        meter_backend=config["meter"]["backend"],
        meter_settings=beside(config_json("meter")),
        records=records_beside,
        device=config["device"],
        seed=config["seed"],
        program=program("measure_energy"),
        code=system_code_version("measure_energy", "vocoder"),
    message:
        "Measuring the energy of {wildcards.system}, alone on the machine."
    shell:
        "python {params.program:q} --checkpoint {input.checkpoint:q} --system {params.system:q}"
        " --complexity-measurement {input.complexity_measurement:q} --mels {input.mels:q}"
        " --energy-settings {params.energy_settings:q}"
        " --meter-settings {params.meter_settings:q} --device {params.device:q} --seed {params.seed}"
        " --output-records {params.records:q} --output {output.measurement:q} &> {log:q}"


rule measure_front_end:
    input:
        clips=f"{RESULTS}/measurements/input/{{front_end}}/clips.npy",
    output:
        measurement=f"{RESULTS}/measurements/front_ends/{{front_end}}.json",
    log:
        f"{RESULTS}/logs/measure_front_end/{{front_end}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_front_end/{{front_end}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: whole_machine
    resources:
        gpu=gpus_per_job,
        slurm_extra="--exclusive",
    params:
        front_end_settings=settings_of_front_end,
        protocol=energy_protocol(),
        energy_settings=beside(config_json("energy")),
        meter_backend=config["meter"]["backend"],
        meter_settings=beside(config_json("meter")),
        device=config["device"],
        seed=config["seed"],
        program=program("measure_front_end"),
        code=code_version("measure_front_end"),
    message:
        "Measuring the energy of the front end {wildcards.front_end}, alone on the machine."
    shell:
        "python {params.program:q} --front-end {wildcards.front_end} --front-end-settings {params.front_end_settings:q}"
        " --clips {input.clips:q} --energy-settings {params.energy_settings:q}"
        " --meter-settings {params.meter_settings:q} --device {params.device:q} --seed {params.seed}"
        " --output {output.measurement:q} &> {log:q}"


rule measure_reference:
    input:
        clips=f"{RESULTS}/measurements/input/{PAPER}/clips.npy",
        mels=f"{RESULTS}/measurements/input/{PAPER}/mels.npy",
        mel_ranges=f"{RESULTS}/measurements/input/{PAPER}/mel_ranges.npy",
    output:
        measurement=f"{RESULTS}/measurements/energy/{{reference}}.json",
    log:
        f"{RESULTS}/logs/measure_reference/{{reference}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_reference/{{reference}}.tsv"
    wildcard_constraints:
        reference="|".join(RECONSTRUCTIONS),
    conda:
        "../envs/torch.yaml"
    threads: whole_machine
    resources:
        slurm_extra="--exclusive",
    params:
        front_end_settings=config_json("front_ends", PAPER),
        compared_rate=config["evaluation"]["sample_rate"],
        iterations=config["generation"]["griffin_lim_iterations"],
        protocol=energy_protocol(),
        energy_settings=beside(config_json("energy")),
        meter_backend=config["meter"]["backend"],
        meter_settings=beside(config_json("meter")),
        device=config["device"],
        seed=config["seed"],
        program=program("measure_reference"),
        code=code_version("measure_reference"),
    message:
        "Measuring the energy of {wildcards.reference} on the CPU, alone on the machine."
    shell:
        "python {params.program:q} --reference {wildcards.reference} --clips {input.clips:q} --mels {input.mels:q}"
        " --mel-ranges {input.mel_ranges:q} --front-end-settings {params.front_end_settings:q}"
        " --compared-rate {params.compared_rate} --iterations {params.iterations} --energy-settings {params.energy_settings:q}"
        " --meter-settings {params.meter_settings:q} --device {params.device:q} --seed {params.seed}"
        " --output {output.measurement:q} &> {log:q}"
