# The listening test: its page and the forms for other platforms; answers, of people or simulated, to mos.csv.
from vocoder_pareto.listening_test.page import ASSETS
from vocoder_pareto.listening_test.registry import EXPORTED_PLATFORMS
from vocoder_pareto.listening_test.responses import key_file, response_files

LISTENING = config["listening_test"]
LISTENING_FOLDER = f"{RESULTS}/listening_test"
SIMULATED_RESPONSES = f"{LISTENING_FOLDER}/simulated_responses"
LISTENING_TEXTS = LISTENING["texts"] or f"{RESOURCES}/listening_test/texts.json"

RESPONSES_FOLDER = LISTENING["responses"] or SIMULATED_RESPONSES


rule export_listening_test:
    input:
        manifests=MANIFESTS,
        texts=as_it_is(LISTENING_TEXTS),
        templates=as_it_is(expand(f"{RESOURCES}/listening_test/{{name}}", name=ASSETS)),
    output:
        platforms=directory(expand(f"{LISTENING_FOLDER}/{{platform}}", platform=EXPORTED_PLATFORMS)),
        key=f"{LISTENING_FOLDER}/key.json",
        invitations=f"{LISTENING_FOLDER}/invitations.csv",
    log:
        f"{RESULTS}/logs/export_listening_test.log",
    conda:
        "../envs/audio.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        design_settings=config_json("listening_test", "design"),
        loudness_settings=config_json("listening_test", "loudness"),
        page_settings=config_json("listening_test", "page"),
        statistics_settings=beside(config_json("listening_test", "statistics")),
        p808_base_url=LISTENING["p808_base_url"],
        templates=lambda wildcards, input: os.path.dirname(input.templates[0]),
        words=content(LISTENING_TEXTS),
        seed=config["seed"],
        program=program("export_listening_test"),
        code=code_version("export_listening_test"),
    message:
        "Exporting the listening test."
    # The log is short, and stands on the terminal too: what the test can find, and where answers go nowhere.
    shell:
        "python {params.program:q} --manifests {input.manifests:q} --design-settings {params.design_settings:q}"
        " --loudness-settings {params.loudness_settings:q} --page-settings {params.page_settings:q}"
        " --statistics-settings {params.statistics_settings:q} --p808-base-url {params.p808_base_url:q}"
        " --texts {input.texts:q} --templates {params.templates:q} --seed {params.seed}"
        " --output-platforms {output.platforms:q} --output-key {output.key:q}"
        " --output-invitations {output.invitations:q} &> {log:q}"
        " && cat {log:q} >&2"


rule listening_test:
    input:
        rules.export_listening_test.output,


rule simulate_responses:
    input:
        key=f"{LISTENING_FOLDER}/key.json",
        published_quality=PRINTED_QUALITY,
    output:
        responses=directory(SIMULATED_RESPONSES),
    log:
        f"{RESULTS}/logs/simulate_responses.log",
    conda:
        "../envs/analysis.yaml"
    params:
        listeners=LISTENING["simulate"] or 0,
        seed=config["seed"],
        program=program("simulate_responses"),
        code=code_version("simulate_responses"),
    message:
        "SIMULATING {params.listeners} listeners, for demonstration only."
    shell:
        "python {params.program:q} --key {input.key:q} --published-quality {input.published_quality:q}"
        " --listeners {params.listeners} --seed {params.seed} --output {output.responses:q} &> {log:q}"


rule analyse_responses:
    input:
        responses=responses_of_test,
    output:
        mos_table=f"{RESULTS}/mos.csv",
        details_table=f"{LISTENING_FOLDER}/mos_details.csv",
        ratings_table=f"{LISTENING_FOLDER}/ratings.csv",
        rejected_table=f"{LISTENING_FOLDER}/rejected.csv",
        screening_table=f"{LISTENING_FOLDER}/screening.csv",
        pairwise_table=f"{LISTENING_FOLDER}/pairwise.csv",
        agreement_table=f"{LISTENING_FOLDER}/agreement.csv",
        power_table=f"{LISTENING_FOLDER}/power.csv",
        rating_counts=f"{LISTENING_FOLDER}/counts.json",
    log:
        f"{RESULTS}/logs/analyse_responses.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        responses=responses_folder,  # no param: answers that moved are the same answers
    params:
        system_names=[*REFERENCES, *SYSTEMS],
        answers=lambda wildcards: content(*responses_of_test(wildcards)) if LISTENING["responses"] else None,
        screening_settings=config_json("listening_test", "screening"),
        statistics_settings=config_json("listening_test", "statistics"),
        max_rejected_share=beside(LISTENING["max_rejected_share"]),
        seed=config["seed"],
        program=program("analyse_responses"),
        code=code_version("analyse_responses"),
    message:
        "Analysing the responses to the listening test."
    # The log is short, and stands on the terminal too: how many ratings count, and what was not read.
    shell:
        "python {params.program:q} --responses {resources.responses:q} --system-names {params.system_names:q}"
        " --screening-settings {params.screening_settings:q} --statistics-settings {params.statistics_settings:q}"
        " --max-rejected-share {params.max_rejected_share} --seed {params.seed}"
        " --output-mos-table {output.mos_table:q} --output-details-table {output.details_table:q}"
        " --output-ratings-table {output.ratings_table:q} --output-rejected-table {output.rejected_table:q}"
        " --output-screening-table {output.screening_table:q} --output-pairwise-table {output.pairwise_table:q}"
        " --output-agreement-table {output.agreement_table:q} --output-power-table {output.power_table:q}"
        " --output-rating-counts {output.rating_counts:q} &> {log:q}"
        " && cat {log:q} >&2"
