# Tables and figures from the measurements: seconds, and neither PyTorch nor audio.
PRINTED_QUALITY = as_it_is(f"{RESOURCES}/published/table1_quality.csv")
PRINTED_COST = as_it_is(f"{RESOURCES}/published/table2_cost.csv")
CONVENTIONS = as_it_is(f"{RESOURCES}/published/conventions.json")
CARBON_STATEMENT = as_it_is(f"{RESOURCES}/published/carbon_statement.json")

# The responses of a listening test replace the paper's MOS.
MOS = [f"{RESULTS}/mos.csv"] if config["listening_test"]["responses"] or config["listening_test"]["simulate"] else []
RATING_COUNTS = [f"{RESULTS}/listening_test/counts.json"] if MOS else []

OBJECTIVES = {objectives["name"]: objectives for objectives in config["pareto"]["objectives"]}

# How far audio is from the recording: D_STFT, and what is measured of these.
DISTANCES = ["d_stft", *(name for name in ("mcd", "estoi") if name in config["quality"]["metrics"])]

# The fronts that each figure shows, from left to right.
FRONTS_OF_FIGURE = {
    "pareto_energy": ["pareto_energy"],
    "pareto_gflops": ["pareto_gflops"],
    "pareto": ["pareto_gflops", "pareto_energy"],
    "pareto_energy_beside_published": ["published/pareto_energy", "pareto_energy"],
    "energy_and_distance": ["published/pareto_energy", *(f"pareto_energy_and_{distance}" for distance in DISTANCES)],
}
TABLES = [
    *multiext(f"{RESULTS}/table1", ".csv", ".md", ".tex"),
    *multiext(f"{RESULTS}/table2", ".csv", ".md", ".tex"),
    *multiext(f"{RESULTS}/comparison_with_published", ".csv", ".md", ".json"),
    f"{RESULTS}/carbon.csv",
    f"{RESULTS}/systems.csv",
    *expand(f"{RESULTS}/pareto_{{cost}}.csv", cost=["energy", "gflops"]),
    *expand(f"{RESULTS}/pareto_energy_and_{{distance}}.csv", distance=DISTANCES),
    *expand(f"{RESULTS}/pareto/{{objectives}}.csv", objectives=OBJECTIVES),
]
CARDS = [f"{RESULTS}/cards/{system}{suffix}" for system in SYSTEMS for suffix in (".md", ".json")]
# Systems that are trained here and validated while they are.
VALIDATED = [system for system in SYSTEMS if is_validated(system)]
FIGURES = [
    *expand(
        f"{RESULTS}/{{figure}}.{{suffix}}",
        figure=[*FRONTS_OF_FIGURE, "pareto_definition"],
        suffix=config["figures"]["formats"],
    ),
    *expand(f"{RESULTS}/pareto/{{objectives}}.{{suffix}}", objectives=OBJECTIVES, suffix=config["figures"]["formats"]),
    *(multiext(f"{RESULTS}/training_curves", *FIGURE_SUFFIXES) if VALIDATED else []),
]
# All that each figure shows, from which redraw_figure.py draws it again.
FIGURE_TABLES = [
    *expand(f"{RESULTS}/figure_tables/{{figure}}.csv", figure=FRONTS_OF_FIGURE),
    *expand(f"{RESULTS}/figure_tables/of_objectives/{{objectives}}.csv", objectives=OBJECTIVES),
]
if VALIDATED:
    TABLES.append(f"{RESULTS}/training_curves.csv")
    FIGURE_TABLES.append(f"{RESULTS}/figure_tables/training_curves.csv")


wildcard_constraints:
    cost="energy|gflops",
    distance="|".join(DISTANCES),
    figure="|".join(FRONTS_OF_FIGURE),
    objectives="|".join(OBJECTIVES) or "none",


rule tabulate_systems:
    input:
        complexity_measurements=expand(f"{RESULTS}/measurements/complexity/{{system}}.json", system=SYSTEMS),
        energy_measurements=expand(
            f"{RESULTS}/measurements/energy/{{system}}.json",
            system=[*SYSTEMS, *(RECONSTRUCTIONS if config["measurements"]["from"] is None else [])],
        ),
        training_summaries=expand(f"{RESULTS}/training/{{system}}/summary.json", system=SYSTEMS),
        front_end_measurements=expand(
            f"{RESULTS}/measurements/front_ends/{{front_end}}.json",
            front_end=FRONT_ENDS if config["measurements"]["from"] is None else [],
        ),
        quality_measurements=expand(f"{RESULTS}/measurements/quality/{{system}}.csv", system=[*REFERENCES, *JUDGED]),
        predicted_mos=PREDICTED_MOS,
        published_quality=PRINTED_QUALITY,
        published_cost=PRINTED_COST,
        mos_table=MOS,
        rating_counts=RATING_COUNTS,
    output:
        system_table=report(f"{RESULTS}/systems.csv", caption="../resources/captions/systems.rst", category="Tables"),
        measurement_flags=f"{RESULTS}/systems_flags.json",
    log:
        f"{RESULTS}/logs/tabulate_systems.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        families=model_families(),
        front_ends=canonical_json(studied_systems.front_ends_of_systems(config)),
        corpus_kind=config["dataset"]["source"],
        carbon_settings=beside(config_json("carbon")),
        meter_settings=assumptions_of_meter(),
        emission_factors=emission_factors(),
        program=program("tabulate_systems"),
        code=code_version("tabulate_systems"),
    message:
        "Joining all measurements into one table."
    shell:
        "python {params.program:q} --complexity-measurements {input.complexity_measurements:q}"
        " --energy-measurements {input.energy_measurements:q} --training-summaries {input.training_summaries:q}"
        " --front-end-measurements {input.front_end_measurements:q} --front-ends {params.front_ends:q}"
        " --quality-measurements {input.quality_measurements:q} --predicted-mos {input.predicted_mos:q}"
        " --published-quality {input.published_quality:q}"
        " --published-cost {input.published_cost:q} --corpus-kind {params.corpus_kind:q}"
        " --mos-table {input.mos_table:q} --rating-counts {input.rating_counts:q} --families {params.families:q}"
        " --carbon-settings {params.carbon_settings:q} --meter-settings {params.meter_settings:q}"
        " --output-system-table {output.system_table:q} --output-measurement-flags {output.measurement_flags:q}"
        " &> {log:q}"


rule tabulate_results:
    input:
        system_table=f"{RESULTS}/systems.csv",
        measurement_flags=f"{RESULTS}/systems_flags.json",
        published_quality=PRINTED_QUALITY,
        published_cost=PRINTED_COST,
    output:
        table1=report(
            multiext(f"{RESULTS}/table1", ".csv", ".md", ".tex"),
            caption="../resources/captions/table1.rst",
            category="Tables",
        ),
        table2=report(
            multiext(f"{RESULTS}/table2", ".csv", ".md", ".tex"),
            caption="../resources/captions/table2.rst",
            category="Tables",
        ),
    log:
        f"{RESULTS}/logs/tabulate_results.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        origin="measured",
        labels=model_labels(),
        program=program("tabulate_results"),
        code=code_version("tabulate_results"),
    message:
        "Writing tables 1 and 2."
    shell:
        "python {params.program:q} --system-table {input.system_table:q}"
        " --measurement-flags {input.measurement_flags:q} --origin {params.origin}"
        " --published-quality {input.published_quality:q} --published-cost {input.published_cost:q}"
        " --labels {params.labels:q} --output-table1 {output.table1:q} --output-table2 {output.table2:q} &> {log:q}"


rule compare_published:
    input:
        system_table=f"{RESULTS}/systems.csv",
        published_system_table=f"{RESULTS}/published/systems.csv",
        published_conventions=CONVENTIONS,
        carbon_statement=CARBON_STATEMENT,
    output:
        table=report(
            f"{RESULTS}/comparison_with_published.csv",
            caption="../resources/captions/comparison.rst",
            category="Comparison with the paper",
        ),
        markdown=report(
            f"{RESULTS}/comparison_with_published.md",
            caption="../resources/captions/comparison.rst",
            category="Comparison with the paper",
        ),
        agreement=f"{RESULTS}/comparison_with_published.json",
    log:
        f"{RESULTS}/logs/compare_published.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        labels=model_labels(),
        program=program("compare_published"),
        code=code_version("compare_published"),
    message:
        "Comparing with the published numbers."
    shell:
        "python {params.program:q} --system-table {input.system_table:q}"
        " --published-system-table {input.published_system_table:q}"
        " --published-conventions {input.published_conventions:q} --carbon-statement {input.carbon_statement:q}"
        " --labels {params.labels:q} --output-table {output.table:q} --output-markdown {output.markdown:q}"
        " --output-agreement {output.agreement:q} &> {log:q}"


rule account_carbon:
    input:
        carbon_statement=CARBON_STATEMENT,
        published_system_table=f"{RESULTS}/published/systems.csv",
        system_table=f"{RESULTS}/systems.csv",
        training_summaries=expand(f"{RESULTS}/training/{{system}}/summary.json", system=SYSTEMS),
    output:
        carbon=report(f"{RESULTS}/carbon.csv", caption="../resources/captions/carbon.rst", category="Tables"),
    log:
        f"{RESULTS}/logs/account_carbon.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        carbon_settings=beside(config_json("carbon")),
        emission_factors=emission_factors(),
        program=program("account_carbon"),
        code=code_version("account_carbon"),
    message:
        "Accounting for the emissions of training and generation."
    shell:
        "python {params.program:q} --carbon-statement {input.carbon_statement:q}"
        " --published-system-table {input.published_system_table:q} --system-table {input.system_table:q}"
        " --training-summaries {input.training_summaries:q} --carbon-settings {params.carbon_settings:q}"
        " --output {output.carbon:q} &> {log:q}"


rule write_energy_cards:
    input:
        system_table=f"{RESULTS}/systems.csv",
        measurement_flags=f"{RESULTS}/systems_flags.json",
        carbon=f"{RESULTS}/carbon.csv",
        energy_measurements=expand(f"{RESULTS}/measurements/energy/{{system}}.json", system=SYSTEMS),
        training_summaries=expand(f"{RESULTS}/training/{{system}}/summary.json", system=SYSTEMS),
    output:
        cards=CARDS,
    log:
        f"{RESULTS}/logs/write_energy_cards.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        carbon_settings=config_json("carbon"),
        reference_system=config["report"]["reference_system"],
        report_settings=beside(config_json("report")),
        labels=model_labels(),
        program=program("write_energy_cards"),
        code=code_version("write_energy_cards"),
    message:
        "Writing an energy card per system."
    shell:
        "python {params.program:q} --system-table {input.system_table:q}"
        " --measurement-flags {input.measurement_flags:q} --carbon {input.carbon:q}"
        " --energy-measurements {input.energy_measurements:q} --training-summaries {input.training_summaries:q}"
        " --carbon-settings {params.carbon_settings:q} --report-settings {params.report_settings:q}"
        " --labels {params.labels:q} --output-cards {output.cards:q} &> {log:q}"


rule find_fronts:
    input:
        system_table=f"{RESULTS}/systems.csv",
        measurement_flags=f"{RESULTS}/systems_flags.json",
    output:
        front_table=report(
            f"{RESULTS}/pareto_{{cost}}.csv", caption="../resources/captions/front.rst", category="Fronts"
        ),
        front_summary=f"{RESULTS}/pareto_{{cost}}.json",
    log:
        f"{RESULTS}/logs/find_fronts/{{cost}}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        objective_settings=front_objectives("gflops_per_audio_second"),
        draws=config["pareto"]["draws"],
        systematic_common_share=config["pareto"]["systematic_common_share"],
        seed=config["seed"],
        program=program("find_fronts"),
        code=code_version("find_fronts"),
    message:
        "Finding the front of MOS and {wildcards.cost}."
    shell:
        "python {params.program:q} --system-table {input.system_table:q}"
        " --measurement-flags {input.measurement_flags:q} --objective-settings {params.objective_settings:q}"
        " --draws {params.draws} --systematic-common-share {params.systematic_common_share} --seed {params.seed}"
        " --output-front-table {output.front_table:q} --output-front-summary {output.front_summary:q} &> {log:q}"


use rule find_fronts as find_fronts_of_objectives with:
    output:
        front_table=report(
            f"{RESULTS}/pareto/{{objectives}}.csv", caption="../resources/captions/front.rst", category="Fronts"
        ),
        front_summary=f"{RESULTS}/pareto/{{objectives}}.json",
    log:
        f"{RESULTS}/logs/find_fronts/of_{{objectives}}.log",
    params:
        objective_settings=lambda wildcards: canonical_json(OBJECTIVES[wildcards.objectives]),
        draws=config["pareto"]["draws"],
        systematic_common_share=config["pareto"]["systematic_common_share"],
        seed=config["seed"],
        program=program("find_fronts"),
        code=code_version("find_fronts"),
    message:
        "Finding the front of the objectives called {wildcards.objectives}."


use rule find_fronts as find_fronts_of_distance with:
    output:
        front_table=report(
            f"{RESULTS}/pareto_energy_and_{{distance}}.csv",
            caption="../resources/captions/front.rst",
            category="Fronts",
        ),
        front_summary=f"{RESULTS}/pareto_energy_and_{{distance}}.json",
    log:
        f"{RESULTS}/logs/find_fronts/energy_and_{{distance}}.log",
    params:
        objective_settings=front_of_distance,
        draws=config["pareto"]["draws"],
        systematic_common_share=config["pareto"]["systematic_common_share"],
        seed=config["seed"],
        program=program("find_fronts"),
        code=code_version("find_fronts"),
    message:
        "Finding the front of energy and {wildcards.distance}, for systems whose audio is judged."


rule draw_pareto:
    input:
        front_tables=fronts_of_figure(RESULTS, ".csv"),
        front_summaries=fronts_of_figure(RESULTS, ".json"),
    output:
        figures=report(
            multiext(f"{RESULTS}/{{figure}}", *FIGURE_SUFFIXES),
            caption="../resources/captions/pareto.rst",
            category="Figures",
        ),
        figure_table=f"{RESULTS}/figure_tables/{{figure}}.csv",
    log:
        f"{RESULTS}/logs/draw_pareto/{{figure}}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        figure_settings=config_json("figures"),
        labels=model_labels(),
        program=program("draw_pareto"),
        code=code_version("draw_pareto"),
    message:
        "Drawing {output.figures[0]}."
    shell:
        "python {params.program:q} --front-tables {input.front_tables:q} --front-summaries {input.front_summaries:q}"
        " --figure-settings {params.figure_settings:q} --labels {params.labels:q}"
        " --output-figure-table {output.figure_table:q} --output-figures {output.figures:q} &> {log:q}"


use rule draw_pareto as draw_pareto_of_objectives with:
    input:
        front_tables=f"{RESULTS}/pareto/{{objectives}}.csv",
        front_summaries=f"{RESULTS}/pareto/{{objectives}}.json",
    output:
        figures=report(
            multiext(f"{RESULTS}/pareto/{{objectives}}", *FIGURE_SUFFIXES),
            caption="../resources/captions/pareto.rst",
            category="Figures",
        ),
        figure_table=f"{RESULTS}/figure_tables/of_objectives/{{objectives}}.csv",
    log:
        f"{RESULTS}/logs/draw_pareto/of_{{objectives}}.log",


rule tabulate_training_curves:
    input:
        training_curves=expand(f"{RESULTS}/training/{{system}}/metrics.csv", system=VALIDATED),
        training_summaries=expand(f"{RESULTS}/training/{{system}}/summary.json", system=VALIDATED),
    output:
        curve_table=report(
            f"{RESULTS}/training_curves.csv",
            caption="../resources/captions/training_curves.rst",
            category="Tables",
        ),
        bands=f"{RESULTS}/training_bands.csv",
    log:
        f"{RESULTS}/logs/tabulate_training_curves.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        meter_settings=assumptions_of_meter(),
        shares=shares_of_validations(VALIDATED),
        program=program("tabulate_training_curves"),
        code=code_version("tabulate_training_curves"),
    message:
        "Joining the validations of all trainings."
    shell:
        "python {params.program:q} --training-curves {input.training_curves:q}"
        " --training-summaries {input.training_summaries:q} --meter-settings {params.meter_settings:q}"
        " --shares {params.shares:q} --output-curve-table {output.curve_table:q} --output-bands {output.bands:q}"
        " &> {log:q}"


rule draw_training_curves:
    input:
        curve_table=f"{RESULTS}/training_curves.csv",
    output:
        figures=report(
            multiext(f"{RESULTS}/training_curves", *FIGURE_SUFFIXES),
            caption="../resources/captions/training_curves.rst",
            category="Figures",
        ),
        figure_table=f"{RESULTS}/figure_tables/training_curves.csv",
    log:
        f"{RESULTS}/logs/draw_training_curves.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        figure_settings=config_json("figures"),
        labels=model_labels(),
        program=program("draw_training_curves"),
        code=code_version("draw_training_curves"),
    message:
        "Drawing quality against the energy of training."
    shell:
        "python {params.program:q} --curve-table {input.curve_table:q} --figure-settings {params.figure_settings:q}"
        " --labels {params.labels:q} --output-figure-table {output.figure_table:q}"
        " --output-figures {output.figures:q} &> {log:q}"


rule draw_definition:
    output:
        figures=report(
            [
                *multiext(f"{RESULTS}/pareto_definition", *FIGURE_SUFFIXES),
                *multiext(f"{RESULTS}/published/pareto_definition", *FIGURE_SUFFIXES),
            ],
            caption="../resources/captions/definition.rst",
            category="Figures",
        ),
    log:
        f"{RESULTS}/logs/draw_definition.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        figure_settings=config_json("figures"),
        program=program("draw_definition"),
        code=code_version("draw_definition"),
    message:
        "Drawing {output.figures[0]}."
    shell:
        "python {params.program:q} --figure-settings {params.figure_settings:q} --output-figures {output.figures:q}"
        " &> {log:q}"


rule find_challengers:
    input:
        system_table=f"{RESULTS}/systems.csv",
        published_table=f"{RESULTS}/published/systems.csv",
    output:
        tables=multiext(f"{RESULTS}/challengers", ".csv", ".md", ".tex"),
    log:
        f"{RESULTS}/logs/find_challengers.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        draws=config["pareto"]["draws"],
        systematic_common_share=config["pareto"]["systematic_common_share"],
        seed=config["seed"],
        labels=model_labels(),
        program=program("find_challengers"),
        code=code_version("find_challengers"),
    message:
        "Finding which systems of the paper's front newer ones undercut."
    shell:
        "python {params.program:q} --system-table {input.system_table:q} --published-table {input.published_table:q}"
        " --draws {params.draws} --systematic-common-share {params.systematic_common_share} --seed {params.seed}"
        " --labels {params.labels:q} --output-tables {output.tables:q} &> {log:q}"


rule challengers:
    input:
        rules.find_challengers.output,
