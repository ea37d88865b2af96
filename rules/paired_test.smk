# A test of chosen pairs beside that of all systems: its page, and what answers of people say.
from vocoder_pareto.listening_test.paired_key import PAIRED_KEY_NAME, paired_response_files

PAIRED = LISTENING["paired"]
PAIRED_FOLDER = f"{RESULTS}/paired_test"


rule export_paired_test:
    input:
        manifests=MANIFESTS,
        texts=as_it_is(LISTENING_TEXTS),
        templates=as_it_is(expand(f"{RESOURCES}/listening_test/{{name}}", name=ASSETS)),
    output:
        page=directory(f"{PAIRED_FOLDER}/page"),
        key=f"{PAIRED_FOLDER}/{PAIRED_KEY_NAME}",
        invitations=f"{PAIRED_FOLDER}/invitations.csv",
    log:
        f"{RESULTS}/logs/export_paired_test.log",
    conda:
        "../envs/audio.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        paired_settings=canonical_json({key: value for key, value in PAIRED.items() if key != "responses"}),
        loudness_settings=config_json("listening_test", "loudness"),
        page_settings=config_json("listening_test", "page"),
        statistics_settings=config_json("listening_test", "statistics"),
        templates=lambda wildcards, input: os.path.dirname(input.templates[0]),
        words=content(LISTENING_TEXTS),
        seed=config["seed"],
        program=program("export_paired_test"),
        code=code_version("export_paired_test"),
    message:
        "Exporting the test of pairs."
    # The log is short, and stands on the terminal too: what the design cannot find, and where answers go nowhere.
    shell:
        "python {params.program:q} --manifests {input.manifests:q} --paired-settings {params.paired_settings:q}"
        " --loudness-settings {params.loudness_settings:q} --page-settings {params.page_settings:q}"
        " --statistics-settings {params.statistics_settings:q} --texts {input.texts:q}"
        " --templates {params.templates:q} --seed {params.seed} --output-page {output.page:q}"
        " --output-key {output.key:q} --output-invitations {output.invitations:q} &> {log:q}"
        " && cat {log:q} >&2"


rule paired_test:
    input:
        rules.export_paired_test.output,


rule analyse_paired_responses:
    input:
        responses=paired_responses,
    output:
        preferences_table=f"{PAIRED_FOLDER}/preferences.csv",
        screening_table=f"{PAIRED_FOLDER}/screening.csv",
    log:
        f"{RESULTS}/logs/analyse_paired_responses.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        responses=lambda wildcards, input: PAIRED["responses"],  # no param: answers that moved are the same answers
    params:
        answers=lambda wildcards: content(*paired_responses(wildcards)),
        screening_settings=config_json("listening_test", "screening"),
        statistics_settings=config_json("listening_test", "statistics"),
        program=program("analyse_paired_responses"),
        code=code_version("analyse_paired_responses"),
    message:
        "Analysing the answers to the test of pairs."
    # The log is short, and stands on the terminal too: how many answers count.
    shell:
        "python {params.program:q} --responses {resources.responses:q}"
        " --screening-settings {params.screening_settings:q} --statistics-settings {params.statistics_settings:q}"
        " --output-preferences-table {output.preferences_table:q} --output-screening-table {output.screening_table:q}"
        " &> {log:q} && cat {log:q} >&2"


rule paired_results:
    input:
        rules.analyse_paired_responses.output,
