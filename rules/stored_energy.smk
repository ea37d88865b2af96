# The energy of every system, taken from a stored set of measurements (`measurements.from`).


rule adopt_measurement:
    input:
        records=stored_records,
    output:
        measurement=f"{RESULTS}/measurements/energy/{{system}}.json",
    log:
        f"{RESULTS}/logs/adopt_measurement/{{system}}.log",
    conda:
        "../envs/torch.yaml"
    params:
        system=system_to_generate,
        measured_set=config["measurements"]["from"],
        precision=config["energy"]["precision"],
        batch_size=config["energy"]["batch_size"],
        program=program("adopt_measurement"),
        code=code_version("adopt_measurement"),
    message:
        "Taking the energy of {wildcards.system} from {params.measured_set}."
    shell:
        "python {params.program:q} --measured-set {params.measured_set:q} --system {params.system:q}"
        " --precision {params.precision:q} --batch-size {params.batch_size} --output {output.measurement:q} &> {log:q}"
