# Objective quality of the judged systems, clip by clip, and how it goes with MOS.


rule measure_quality:
    input:
        manifest=f"{RESULTS}/generated/{{system}}/manifest.csv",
        reference_manifest=f"{RESULTS}/generated/ground_truth/manifest.csv",
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
        quality_settings=config_json("quality"),
        program=program("measure_quality"),
        code=metrics_code_version("measure_quality"),
    message:
        "Measuring the objective quality of {wildcards.system}."
    shell:
        "python {params.program:q} --manifest {input.manifest:q} --reference-manifest {input.reference_manifest:q}"
        " --quality-settings {params.quality_settings:q} --processes {threads} --output {output.measurement:q}"
        " &> {log:q}"


rule correlate_metrics:
    input:
        system_table=f"{RESULTS}/systems.csv",
        quality_measurements=expand(f"{RESULTS}/measurements/quality/{{system}}.csv", system=JUDGED),
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
        quality_settings=config_json("quality"),
        figure_settings=config_json("figures"),
        labels=model_labels(),
        seed=config["seed"],
        program=program("correlate_metrics"),
        code=metrics_code_version("correlate_metrics"),
    message:
        "Correlating objective metrics with MOS."
    shell:
        "python {params.program:q} --system-table {input.system_table:q}"
        " --quality-measurements {input.quality_measurements:q} --quality-settings {params.quality_settings:q}"
        " --seed {params.seed} --figure-settings {params.figure_settings:q} --labels {params.labels:q}"
        " --output-table {output.table:q} --output-figures {output.figures:q} &> {log:q}"
