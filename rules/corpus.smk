# The recordings: synthetic speech, or LJSpeech or CMU ARCTIC, downloaded or from an archive. A user's own folder is read in place.
from vocoder_pareto.audio.corpora import list_corpus
from vocoder_pareto.audio.corpus_location import corpus_files, folder_of_arctic, locate_corpus
from vocoder_pareto.audio.split import listed

try:
    ARCTIC_VOICE = config["dataset"]["arctic_voice"]
    CORPUS = locate_corpus(config["dataset"]["source"], config["dataset"]["path"], RESULTS, ARCTIC_VOICE)
    if not CORPUS.made_here:  # too few recordings, or a list of others, are told before the first job
        recordings = list_corpus(config["dataset"]["source"], CORPUS.folder, config["dataset"]["clips"])
        for file in TEST_LIST:
            listed(recordings, Path(file))
except UserError as error:
    raise WorkflowError(str(error)) from None

CORPUS_FOLDER = str(CORPUS.folder)
ARCHIVE = str(CORPUS.archive or "")


rule synthesize_corpus:
    input:
        sentences=as_it_is(f"{RESOURCES}/sentences.txt"),
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
        max_clips=config_json("dataset", "clips"),
        voices=config["dataset"]["voices"],
        program=program("synthesize_corpus"),
        code=code_version("synthesize_corpus"),
    message:
        "Synthesising a corpus with eSpeak NG."
    shell:
        "python {params.program:q} --sentences {input.sentences:q} --max-clips {params.max_clips:q}"
        " --voices {params.voices:q} --processes {threads} --output {output.metadata:q} &> {log:q}"


rule fetch_ljspeech:
    output:
        metadata="data/LJSpeech-1.1/metadata.csv",
    log:
        f"{RESULTS}/logs/fetch_ljspeech.log",
    # On a cluster, nodes often reach no network: the machine that Snakemake runs on downloads.
    localrule: True
    conda:
        "../envs/audio.yaml"
    params:
        # Neither the archive's place nor the code may make 2.6 GB be fetched again.
        archive=beside(ARCHIVE),
        program=program("fetch_ljspeech"),
    message:
        "Fetching LJSpeech 1.1."
    shell:
        "python {params.program:q} --archive {params.archive:q} --output {output.metadata:q} &> {log:q}"


rule fetch_cmu_arctic:
    output:
        metadata=f"data/{folder_of_arctic(ARCTIC_VOICE)}/metadata.csv",
    log:
        f"{RESULTS}/logs/fetch_cmu_arctic.log",
    localrule: True
    conda:
        "../envs/audio.yaml"
    params:
        voice=ARCTIC_VOICE,
        # Neither the archive's place nor the code may make it be fetched again.
        archive=beside(ARCHIVE),
        program=program("fetch_cmu_arctic"),
    message:
        "Fetching the voice {params.voice} of CMU ARCTIC."
    shell:
        "python {params.program:q} --voice {params.voice:q} --archive {params.archive:q} --output {output.metadata:q}"
        " &> {log:q}"
