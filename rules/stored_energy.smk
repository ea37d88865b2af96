# The energy of every system, taken from a stored set of measurements (`measurements.from`).


rule adopt_measurement:
    input:
        runs=stored_runs,
    output:
        measurement=f"{RESULTS}/measurements/energy/{{system}}.json",
    log:
        f"{RESULTS}/logs/adopt_measurement/{{system}}.log",
    conda:
        "../envs/torch.yaml"
    params:
        system=system_to_run,
        stored=config["measurements"]["from"],
        program=program("adopt_measurement"),
        code=code_version("adopt_measurement"),
    message:
        "Taking the energy of {wildcards.system} from {params.stored}."
    shell:
        "python {params.program:q} --set {params.stored:q} --system {params.system:q}"
        " --output {output.measurement:q} &> {log:q}"
