# Reconstructions of the test set: by the systems that are judged, none of them untrained, and by the reference systems.
from vocoder_pareto.study.systems import REFERENCE_SYSTEMS


rule generate_audio:
    input:
        checkpoint=judged_checkpoint,
        mels=f"{RESULTS}/dataset/mels.npy",
        mel_stats=f"{RESULTS}/dataset/mel_stats.json",
        clip_table=f"{RESULTS}/dataset/clips.csv",
    output:
        manifest=f"{RESULTS}/generated/{{system}}/manifest.csv",
    log:
        f"{RESULTS}/logs/generate_audio/{{system}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/generate_audio/{{system}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 2
    resources:
        gpu=gpus_per_job,
        mem_mb=8000,
        runtime=240,
    params:
        system=system_to_generate,
        max_clips=config_json("generation", "clips"),
        batch_size=beside(config["generation"]["batch_size"]),
        chunk_frames=beside(config_json("generation", "chunk_frames")),
        seed=config["seed"],
        device=beside(config["device"]),
        program=program("generate_audio"),
        code=system_code_version("generate_audio", "vocoder"),
    message:
        "Generating the test set with {wildcards.system}."
    shell:
        "python {params.program:q} --checkpoint {input.checkpoint:q} --system {params.system:q} --mels {input.mels:q}"
        " --mel-stats {input.mel_stats:q} --clip-table {input.clip_table:q} --max-clips {params.max_clips:q}"
        " --batch-size {params.batch_size} --chunk-frames {params.chunk_frames:q} --seed {params.seed}"
        " --device {params.device:q} --output {output.manifest:q} &> {log:q}"


rule generate_reference:
    input:
        clips=f"{RESULTS}/dataset/clips.npy",
        mels=f"{RESULTS}/dataset/mels.npy",
        mel_ranges=f"{RESULTS}/dataset/mel_ranges.npy",
        clip_table=f"{RESULTS}/dataset/clips.csv",
    output:
        manifest=f"{RESULTS}/generated/{{reference}}/manifest.csv",
    log:
        f"{RESULTS}/logs/generate_reference/{{reference}}.log",
    wildcard_constraints:
        reference="|".join(REFERENCE_SYSTEMS),
    conda:
        "../envs/audio.yaml"
    threads: 4
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        format_settings=canonical_json(format_settings(config)),
        max_clips=config_json("generation", "clips"),
        iterations=config["generation"]["griffin_lim_iterations"],
        seed=config["seed"],
        program=program("generate_reference"),
        code=code_version("generate_reference"),
    message:
        "Writing the test set as {wildcards.reference}."
    shell:
        "python {params.program:q} --reference {wildcards.reference} --clips {input.clips:q} --mels {input.mels:q}"
        " --mel-ranges {input.mel_ranges:q} --clip-table {input.clip_table:q}"
        " --format-settings {params.format_settings:q} --max-clips {params.max_clips:q}"
        " --iterations {params.iterations} --seed {params.seed} --processes {threads} --output {output.manifest:q}"
        " &> {log:q}"
