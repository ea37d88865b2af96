# The study on one page, the record of what made it, and all that the study is.
from snakemake import __version__ as snakemake_version

ENVIRONMENTS = [str(HOME / f"envs/{name}.yaml") for name in ("analysis", "audio", "torch")]
STUDY = [
    *TABLES,
    *FIGURES,
    *FIGURE_TABLES,
    *CARDS,
    *PUBLISHED_STUDY,
    *multiext(f"{RESULTS}/quality_correlation", ".csv", *FIGURE_SUFFIXES),
    f"{RESULTS}/figure_tables/quality_correlation.csv",
    *MANIFESTS,  # Snakemake makes a file again that another one was made of only if it is asked for: so is the audio.
    f"{RESULTS}/report/index.html",
    f"{RESULTS}/provenance.json",
]


rule record_provenance:
    input:
        system_table=f"{RESULTS}/systems.csv",  # so that it is written anew with the results
    output:
        provenance=f"{RESULTS}/provenance.json",
    log:
        f"{RESULTS}/logs/record_provenance.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        study_settings=canonical_json(config),
        environments=ENVIRONMENTS,
        snakemake_version=snakemake_version,
        program=program("record_provenance"),
        code=code_version("record_provenance"),
    message:
        "Recording versions, commit, configuration and hardware."
    # Through a pipe, since the configuration of many systems is longer than an argument can be (128 KiB).
    shell:
        "printf %s {params.study_settings:q} | python {params.program:q} --study-settings @/dev/stdin"
        " --system-table {input.system_table:q} --environments {params.environments:q}"
        " --snakemake-version {params.snakemake_version:q} --output {output.provenance:q} &> {log:q}"


rule build_report:
    input:
        system_table=f"{RESULTS}/systems.csv",
        measurement_flags=f"{RESULTS}/systems_flags.json",
        manifests=MANIFESTS,
        downloads=[*TABLES, *FIGURES, f"{RESULTS}/dataset/{FRONT_ENDS[0]}/skipped.csv"],
        dataset_summary=f"{RESULTS}/dataset/{FRONT_ENDS[0]}/dataset_summary.json",
        provenance=f"{RESULTS}/provenance.json",
        templates=as_it_is(multiext(f"{RESOURCES}/report/", "page.html", "style.css", "script.js")),
    output:
        page=f"{RESULTS}/report/index.html",
    log:
        f"{RESULTS}/logs/build_report.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        templates=lambda wildcards, input: os.path.dirname(input.templates[0]),
        labels=model_labels(),
        figure_settings=config_json("figures"),
        report_settings=config_json("report"),
        loudness_settings=config_json("listening_test", "loudness"),
        program=program("build_report"),
        code=code_version("build_report"),
    message:
        "Building the report page."
    shell:
        "python {params.program:q} --system-table {input.system_table:q}"
        " --measurement-flags {input.measurement_flags:q} --manifests {input.manifests:q}"
        " --downloads {input.downloads:q} --dataset-summary {input.dataset_summary:q}"
        " --provenance {input.provenance:q} --templates {params.templates:q} --labels {params.labels:q}"
        " --figure-settings {params.figure_settings:q} --report-settings {params.report_settings:q}"
        " --loudness-settings {params.loudness_settings:q}"
        " --output {output.page:q} &> {log:q}"


# To deposit the results: `snakemake results/ro-crate-metadata.json`.
rule write_crate:
    input:
        result_files=[
            *STUDY,
            f"{RESULTS}/systems_flags.json",
            *expand(f"{RESULTS}/measurements/{{kind}}/{{system}}.json", kind=["energy", "complexity"], system=SYSTEMS),
        ],
        workflow_files=as_it_is([str(HOME / "Snakefile"), *map(str, sorted((HOME / "rules").glob("*.smk")))]),
        provenance=f"{RESULTS}/provenance.json",
    output:
        crate=f"{RESULTS}/ro-crate-metadata.json",
    log:
        f"{RESULTS}/logs/write_crate.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        program=program("write_crate"),
        code=code_version("write_crate"),
    message:
        "Describing the results as a Workflow Run RO-Crate."
    shell:
        "python {params.program:q} --result-files {input.result_files:q} --workflow-files {input.workflow_files:q}"
        " --provenance {input.provenance:q} --output {output.crate:q} &> {log:q}"
