# The same tables and figures from the paper's numbers alone: `snakemake published` takes seconds and needs no model.
PUBLISHED = f"{RESULTS}/published"
PUBLISHED_FIGURES = ["pareto_energy", "pareto_gflops", "pareto", "pareto_definition"]
PUBLISHED_STUDY = [
    f"{PUBLISHED}/systems.csv",
    *multiext(f"{PUBLISHED}/table1", ".csv", ".md", ".tex"),
    *multiext(f"{PUBLISHED}/table2", ".csv", ".md", ".tex"),
    f"{PUBLISHED}/carbon.csv",
    *expand(f"{PUBLISHED}/pareto_{{cost}}.csv", cost=["energy", "gflops"]),
    *expand(f"{PUBLISHED}/{{figure}}.{{suffix}}", figure=PUBLISHED_FIGURES, suffix=config["figures"]["formats"]),
    *multiext(f"{PUBLISHED}/quality_correlation", ".csv", *FIGURE_SUFFIXES),
]


rule published:
    input:
        PUBLISHED_STUDY,


rule tabulate_published:
    input:
        published_quality=PRINTED_QUALITY,
        published_cost=PRINTED_COST,
        published_conventions=CONVENTIONS,
        carbon_statement=CARBON_STATEMENT,
    output:
        systems=report(
            f"{PUBLISHED}/systems.csv", caption="../resources/captions/published.rst", category="Published numbers"
        ),
    log:
        f"{RESULTS}/logs/tabulate_published.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        families=model_families(),
        program=program("tabulate_published"),
        code=code_version("tabulate_published"),
    message:
        "Joining the published tables."
    shell:
        "python {params.program:q} --published-quality {input.published_quality:q}"
        " --published-cost {input.published_cost:q} --published-conventions {input.published_conventions:q}"
        " --carbon-statement {input.carbon_statement:q} --families {params.families:q} --output {output.systems:q}"
        " &> {log:q}"


use rule tabulate_results as tabulate_published_results with:
    input:
        system_table=f"{PUBLISHED}/systems.csv",
        measurement_flags=[],
        published_quality=PRINTED_QUALITY,
        published_cost=PRINTED_COST,
    output:
        table1=report(
            multiext(f"{PUBLISHED}/table1", ".csv", ".md", ".tex"),
            caption="../resources/captions/table1.rst",
            category="Published numbers",
        ),
        table2=report(
            multiext(f"{PUBLISHED}/table2", ".csv", ".md", ".tex"),
            caption="../resources/captions/table2.rst",
            category="Published numbers",
        ),
    log:
        f"{RESULTS}/logs/tabulate_published_results.log",
    params:
        origin="published",
        labels=model_labels(),
        program=program("tabulate_results"),
        code=code_version("tabulate_results"),
    message:
        "Writing the published tables 1 and 2."


use rule account_carbon as account_published_carbon with:
    input:
        carbon_statement=CARBON_STATEMENT,
        published_system_table=f"{PUBLISHED}/systems.csv",
        system_table=[],
        training_summaries=[],
    output:
        carbon=report(
            f"{PUBLISHED}/carbon.csv", caption="../resources/captions/carbon.rst", category="Published numbers"
        ),
    log:
        f"{RESULTS}/logs/account_published_carbon.log",
    message:
        "Recomputing the paper's statement on emissions."


use rule find_fronts as find_published_fronts with:
    input:
        system_table=f"{PUBLISHED}/systems.csv",
        measurement_flags=[],
    output:
        front_table=report(
            f"{PUBLISHED}/pareto_{{cost}}.csv",
            caption="../resources/captions/front.rst",
            category="Published numbers",
        ),
        front_summary=f"{PUBLISHED}/pareto_{{cost}}.json",
    log:
        f"{RESULTS}/logs/find_fronts/published_{{cost}}.log",
    params:
        objective_settings=front_objectives("gflops_published_convention"),
        draws=config["pareto"]["draws"],
        systematic_common_share=config["pareto"]["systematic_common_share"],
        seed=config["seed"],
        program=program("find_fronts"),
        code=code_version("find_fronts"),
    message:
        "Finding the front of the printed MOS and {wildcards.cost}."


use rule draw_pareto as draw_published_pareto with:
    input:
        front_tables=fronts_of_figure(PUBLISHED, ".csv"),
        front_summaries=fronts_of_figure(PUBLISHED, ".json"),
    output:
        figures=report(
            multiext(f"{PUBLISHED}/{{figure}}", *FIGURE_SUFFIXES),
            caption="../resources/captions/pareto.rst",
            category="Published numbers",
        ),
        figure_table=f"{PUBLISHED}/figure_tables/{{figure}}.csv",
    log:
        f"{RESULTS}/logs/draw_pareto/published_{{figure}}.log",


use rule correlate_metrics as correlate_published_metrics with:
    input:
        system_table=f"{PUBLISHED}/systems.csv",
        measurement_flags=[],
        quality_measurements=[],
    output:
        table=report(
            f"{PUBLISHED}/quality_correlation.csv",
            caption="../resources/captions/correlation.rst",
            category="Published numbers",
        ),
        figures=report(
            multiext(f"{PUBLISHED}/quality_correlation", *FIGURE_SUFFIXES),
            caption="../resources/captions/correlation.rst",
            category="Published numbers",
        ),
        figure_table=f"{PUBLISHED}/figure_tables/quality_correlation.csv",
    log:
        f"{RESULTS}/logs/correlate_published_metrics.log",
    message:
        "Correlating the printed D_STFT with the printed MOS."
