# The recordings: synthetic speech, or LJSpeech, downloaded or from an archive. A user's own folder is read in place.
from vocoder_pareto.audio.corpus_location import listing_digest, locate_corpus

try:
    CORPUS = locate_corpus(config["dataset"]["source"], config["dataset"]["path"], RESULTS)
except UserError as error:
    raise WorkflowError(str(error)) from None

CORPUS_FOLDER = str(CORPUS.folder)
ARCHIVE = str(CORPUS.archive or "")


def corpus_version(wildcards):
    """What tells one corpus from another: the code that speaks it, or what lies in a user's own folder."""
    if config["dataset"]["source"] == "synthetic":
        return code_version("synthesize_corpus")
    return None if CORPUS.made_here else listing_digest(CORPUS.folder)


rule synthesize_corpus:
    input:
        sentences=f"{RESOURCES}/sentences.txt",
    output:
        metadata=f"{RESULTS}/data/synthetic/metadata.csv",
    log:
        f"{RESULTS}/logs/synthesize_corpus.log",
    benchmark:
        f"{RESULTS}/benchmarks/synthesize_corpus.tsv"
    conda:
        "../envs/audio.yaml"
    threads: 8
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        clips=config_json("dataset", "clips"),
        voices=config_json("dataset", "voices"),
        code=code_version("synthesize_corpus"),
    message:
        "Synthesising a corpus with eSpeak NG."
    shell:
        "python {PROGRAMS:q}/synthesize_corpus.py --sentences {input.sentences:q} --clips {params.clips:q}"
        " --voices {params.voices:q} --processes {threads} --metadata {output.metadata:q} &> {log:q}"


rule fetch_ljspeech:
    output:
        metadata="data/LJSpeech-1.1/metadata.csv",
    log:
        f"{RESULTS}/logs/fetch_ljspeech.log",
    conda:
        "../envs/audio.yaml"
    resources:
        mem_mb=2000,
        runtime=240,
    message:
        "Fetching LJSpeech 1.1."
    shell:
        # Neither the archive's place nor the code is a param: a change of them must not fetch 2.6 GB again.
        "python {PROGRAMS:q}/fetch_ljspeech.py --archive {ARCHIVE:q}" " --metadata {output.metadata:q} &> {log:q}"
