# Objective quality of the judged systems, clip by clip, their predicted MOS, and how these go with MOS.
PREDICTED_MOS = expand(
    f"{RESULTS}/measurements/predicted_mos/{{system}}.json",
    system=[*REFERENCES, *JUDGED] if config["predicted_mos"]["predictor"] else [],
)


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


rule try_predictor:
    input:
        reference_manifest=f"{RESULTS}/generated/ground_truth/manifest.csv",
    output:
        predictor_trial=f"{RESULTS}/measurements/predictor_trial.json",
    log:
        f"{RESULTS}/logs/try_predictor.log",
    conda:
        "../envs/audio.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        predicted_mos_settings=predictor_settings(),
        utmos_file=beside(UTMOS_FILES),
        predictor_weights=content(*UTMOS_FILES),
        seed=config["seed"],
        program=program("try_predictor"),
        code=code_version("try_predictor"),
    message:
        "Trying the predictor of MOS on the recordings."
    shell:
        "python {params.program:q} --reference-manifest {input.reference_manifest:q}"
        " --predicted-mos-settings {params.predicted_mos_settings:q} --utmos-file {params.utmos_file:q}"
        " --seed {params.seed}"
        " --output-predictor-trial {output.predictor_trial:q} &> {log:q}"


rule predict_mos:
    input:
        manifest=f"{RESULTS}/generated/{{system}}/manifest.csv",
        predictor_trial=f"{RESULTS}/measurements/predictor_trial.json",
    output:
        prediction=f"{RESULTS}/measurements/predicted_mos/{{system}}.json",
    log:
        f"{RESULTS}/logs/predict_mos/{{system}}.log",
    wildcard_constraints:
        system="|".join(map(re.escape, [*REFERENCES, *SYSTEMS])),
    conda:
        "../envs/audio.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        predicted_mos_settings=predictor_settings(),
        utmos_file=beside(UTMOS_FILES),
        predictor_weights=content(*UTMOS_FILES),
        seed=config["seed"],
        program=program("predict_mos"),
        code=code_version("predict_mos"),
    message:
        "Predicting the MOS of {wildcards.system}."
    shell:
        "python {params.program:q} --manifest {input.manifest:q} --predictor-trial {input.predictor_trial:q}"
        " --predicted-mos-settings {params.predicted_mos_settings:q} --utmos-file {params.utmos_file:q}"
        " --seed {params.seed} --output {output.prediction:q} &> {log:q}"


rule correlate_metrics:
    input:
        system_table=f"{RESULTS}/systems.csv",
        measurement_flags=f"{RESULTS}/systems_flags.json",
        quality_measurements=expand(f"{RESULTS}/measurements/quality/{{system}}.csv", system=JUDGED),
    output:
        table=report(
            f"{RESULTS}/quality_correlation.csv", caption="../resources/captions/correlation.rst", category="Tables"
        ),
        figures=report(
            multiext(f"{RESULTS}/quality_correlation", *FIGURE_SUFFIXES),
            caption="../resources/captions/correlation.rst",
            category="Figures",
        ),
        figure_table=f"{RESULTS}/figure_tables/quality_correlation.csv",
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
        " --measurement-flags {input.measurement_flags:q}"
        " --quality-measurements {input.quality_measurements:q} --quality-settings {params.quality_settings:q}"
        " --seed {params.seed} --figure-settings {params.figure_settings:q} --labels {params.labels:q}"
        " --output-table {output.table:q} --output-figure-table {output.figure_table:q}"
        " --output-figures {output.figures:q} &> {log:q}"
