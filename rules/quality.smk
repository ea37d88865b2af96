# Objective quality of all systems, clip by clip, and how it goes with MOS.


rule measure_quality:
    input:
        manifest=f"{RESULTS}/generated/{{system}}/manifest.csv",
        reference=f"{RESULTS}/generated/ground_truth/manifest.csv",
    output:
        measurement=f"{RESULTS}/measurements/quality/{{system}}.csv",
    log:
        f"{RESULTS}/logs/measure_quality/{{system}}.log",
    wildcard_constraints:
        system="|".join(map(re.escape, [*REFERENCES, *SYSTEMS])),
    conda:
        "../envs/audio.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        metrics=config_json("quality", "metrics"),
        program=program("measure_quality"),
        code=metrics_code_version("measure_quality"),
    message:
        "Measuring the objective quality of {wildcards.system}."
    shell:
        "python {params.program:q} --manifest {input.manifest:q} --reference {input.reference:q}"
        " --metrics {params.metrics:q} --processes {threads} --output {output.measurement:q} &> {log:q}"


rule correlate_metrics:
    input:
        systems=f"{RESULTS}/systems.csv",
        quality=expand(f"{RESULTS}/measurements/quality/{{system}}.csv", system=SYSTEMS),
    output:
        table=report(
            f"{RESULTS}/quality_correlation.csv", caption="../resources/captions/correlation.rst", category="Tables"
        ),
        figures=report(
            multiext(f"{RESULTS}/quality_correlation", ".pdf", ".svg"),
            caption="../resources/captions/correlation.rst",
            category="Figures",
        ),
    log:
        f"{RESULTS}/logs/correlate_metrics.log",
    localrule: True
    conda:
        "../envs/audio.yaml"
    params:
        metrics=config_json("quality", "metrics"),
        figures=config_json("figures"),
        labels=model_labels(),
        seed=config["seed"],
        program=program("correlate_metrics"),
        code=metrics_code_version("correlate_metrics"),
    message:
        "Correlating objective metrics with MOS."
    shell:
        "python {params.program:q} --systems {input.systems:q} --quality {input.quality:q} --metrics {params.metrics:q}"
        " --seed {params.seed} --figures {params.figures:q} --labels {params.labels:q} --table {output.table:q}"
        " --output {output.figures:q} &> {log:q}"
