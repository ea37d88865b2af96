# The listening test: its page and the forms for other platforms; answers, of people or simulated, to mos.csv.
from vocoder_pareto.listening_test.registry import EXPORTED_PLATFORMS
from vocoder_pareto.listening_test.responses import response_files

LISTENING = config["listening_test"]
LISTENING_FOLDER = f"{RESULTS}/listening_test"
SIMULATED_RESPONSES = f"{LISTENING_FOLDER}/simulated_responses"
LISTENING_TEXTS = LISTENING["texts"] or f"{RESOURCES}/listening_test/texts.json"

RESPONSES_FOLDER = LISTENING["responses"] or SIMULATED_RESPONSES


rule export_listening_test:
    input:
        manifests=expand(f"{RESULTS}/generated/{{system}}/manifest.csv", system=[*REFERENCES, *SYSTEMS]),
        texts=as_it_is(LISTENING_TEXTS),
        templates=as_it_is(multiext(f"{RESOURCES}/listening_test/", "page.html", "style.css", "script.js")),
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
        design=config_json("listening_test", "design"),
        loudness=config_json("listening_test", "loudness"),
        page=config_json("listening_test", "page"),
        p808_base_url=LISTENING["p808_base_url"],
        templates=lambda wildcards, input: os.path.dirname(input.templates[0]),
        seed=config["seed"],
        program=program("export_listening_test"),
        code=code_version("export_listening_test"),
    message:
        "Exporting the listening test."
    shell:
        "python {params.program:q} --manifests {input.manifests:q} --design {params.design:q}"
        " --loudness {params.loudness:q} --page {params.page:q} --p808-base-url {params.p808_base_url:q}"
        " --texts {input.texts:q} --templates {params.templates:q} --seed {params.seed}"
        " --platform-folders {output.platforms:q} --key {output.key:q} --invitations {output.invitations:q} &> {log:q}"


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
        mos=f"{RESULTS}/mos.csv",
        details=f"{LISTENING_FOLDER}/mos_details.csv",
        ratings=f"{LISTENING_FOLDER}/ratings.csv",
        rejected=f"{LISTENING_FOLDER}/rejected.csv",
        screening=f"{LISTENING_FOLDER}/screening.csv",
        pairwise=f"{LISTENING_FOLDER}/pairwise.csv",
        agreement=f"{LISTENING_FOLDER}/agreement.csv",
        power=f"{LISTENING_FOLDER}/power.csv",
    log:
        f"{RESULTS}/logs/analyse_responses.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        folder=responses_folder,  # no param: answers that moved are the same answers
    params:
        systems=canonical_json([*REFERENCES, *SYSTEMS]),
        screening=config_json("listening_test", "screening"),
        statistics=config_json("listening_test", "statistics"),
        seed=config["seed"],
        program=program("analyse_responses"),
        code=code_version("analyse_responses"),
    message:
        "Analysing the responses to the listening test."
    shell:
        "python {params.program:q} --responses {resources.folder:q} --systems {params.systems:q}"
        " --screening {params.screening:q} --statistics {params.statistics:q} --seed {params.seed}"
        " --mos-table {output.mos:q} --details-table {output.details:q} --ratings-table {output.ratings:q}"
        " --rejected-table {output.rejected:q} --screening-table {output.screening:q}"
        " --pairwise-table {output.pairwise:q} --agreement-table {output.agreement:q}"
        " --power-table {output.power:q} &> {log:q}"
