# Weights that a system is given: fetched from the network where they are not on this machine, then made its checkpoint.
from vocoder_pareto.study.given_weights import require_recorded

try:
    for fetched in filter(are_fetched, SYSTEMS):
        require_recorded(weights_of(config, *SYSTEMS[fetched]), f"{RESULTS}/weights/{fetched}.json")
except UserError as error:
    raise WorkflowError(str(error)) from None


rule fetch_weights:
    output:
        weights=f"{RESULTS}/weights/{{system}}.weights",
        record=f"{RESULTS}/weights/{{system}}.json",
    log:
        f"{RESULTS}/logs/fetch_weights/{{system}}.log",
    wildcard_constraints:
        system=any_of(system for system in SYSTEMS if are_fetched(system)),
    # On a cluster, nodes often reach no network: the machine that Snakemake runs on downloads.
    localrule: True
    conda:
        "../envs/audio.yaml"
    params:
        # Neither a checksum that is told later nor the code may make hundreds of megabytes be fetched again.
        weights_settings=beside(weights_settings),
        place=place_of_weights,
        program=program("fetch_weights"),
    message:
        "Fetching the weights of {wildcards.system}."
    # A checksum that was not known is told on the terminal, too.
    shell:
        "python {params.program:q} --weights-settings {params.weights_settings:q}"
        " --output-weights {output.weights:q} --output-record {output.record:q} &> {log:q}"
        " && (grep '^Weights: ' {log:q} >&2 || true)"


rule take_weights:
    input:
        weights=given_weights,
        clips=of_dataset("clips.npy"),
        clip_table=of_dataset("clips.csv"),
        mels=of_dataset("mels.npy"),
        mel_stats=of_dataset("mel_stats.json"),
    output:
        checkpoint=f"{RESULTS}/checkpoints/{{system}}.ckpt",
        training_summary=f"{RESULTS}/training/{{system}}/summary.json",
        training_curve=f"{RESULTS}/training/{{system}}/metrics.csv",
    log:
        f"{RESULTS}/logs/take_weights/{{system}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/take_weights/{{system}}.tsv"
    wildcard_constraints:
        system=any_of(system for system in SYSTEMS if are_given(system)),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        weights_settings=beside(weights_settings),
        layout=layout_of_weights,
        system=system_to_train,
        sampling_settings=sampling_of_system,
        given=given_content,
        seed=config["seed"],
        program=program("take_weights"),
        code=system_code_version("take_weights", "vocoder"),
    message:
        "Taking the given weights of {wildcards.system}."
    # What is strange about them is told on the terminal, too, before they are measured and heard.
    shell:
        "python {params.program:q} --system {params.system:q} --sampling-settings {params.sampling_settings:q}"
        " --weights {input.weights:q} --weights-settings {params.weights_settings:q}"
        " --clips {input.clips:q} --clip-table {input.clip_table:q} --mels {input.mels:q}"
        " --mel-stats {input.mel_stats:q} --seed {params.seed}"
        " --output-checkpoint {output.checkpoint:q} --output-training-summary {output.training_summary:q}"
        " --output-training-curve {output.training_curve:q} &> {log:q}"
        " && (grep '^Weights: ' {log:q} >&2 || true)"
