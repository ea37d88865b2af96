# All measured sets side by side: `snakemake leaderboard` takes seconds, and needs no model and no measurement.
MEASURED_SETS = sorted(Path(f"{RESOURCES}/measured").glob("*/set.json"))
LEADERBOARD = multiext(f"{RESULTS}/leaderboard/leaderboard", ".csv", ".json", *FIGURE_SUFFIXES)


rule leaderboard:
    input:
        LEADERBOARD,
        f"{RESULTS}/leaderboard/index.html",


rule draw_leaderboard:
    input:
        published_system_table=f"{PUBLISHED}/systems.csv",
        measured_sets=as_it_is([str(file) for file in MEASURED_SETS]),
        records=as_it_is([str(file) for each in MEASURED_SETS for file in sorted(each.parent.glob("run*/*.json"))]),
        template=as_it_is(f"{RESOURCES}/leaderboard/page.html"),
    output:
        table=f"{RESULTS}/leaderboard/leaderboard.csv",
        agreement=f"{RESULTS}/leaderboard/leaderboard.json",
        figures=multiext(f"{RESULTS}/leaderboard/leaderboard", *FIGURE_SUFFIXES),
        page=f"{RESULTS}/leaderboard/index.html",
    log:
        f"{RESULTS}/logs/draw_leaderboard.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        reference_system=config["report"]["reference_system"],
        report_settings=beside(config_json("report")),
        figure_settings=config_json("figures"),
        labels=model_labels(),
        program=program("draw_leaderboard"),
        code=code_version("draw_leaderboard"),
    message:
        "Drawing all measured sets side by side."
    shell:
        "python {params.program:q} --published-system-table {input.published_system_table:q}"
        " --measured-sets {input.measured_sets:q} --template {input.template:q}"
        " --report-settings {params.report_settings:q} --figure-settings {params.figure_settings:q}"
        " --labels {params.labels:q} --output-table {output.table:q} --output-agreement {output.agreement:q}"
        " --output-figures {output.figures:q} --output-page {output.page:q} &> {log:q}"
