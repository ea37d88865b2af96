"""Make a corpus of synthetic speech with eSpeak NG, in the layout of LJSpeech: wavs/*.wav beside metadata.csv."""

import argparse

from vocoder_pareto.audio.synthetic_corpus import read_sentences, synthesize_corpus
from vocoder_pareto.program import json_or_file, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", required=True, help="text file, a sentence per line")
    parser.add_argument("--clips", type=json_or_file, required=True, help="20 to 13100 clips, null for 13100")
    parser.add_argument(
        "--voices",
        type=json_or_file,
        default=["en-us"],
        help='JSON list of eSpeak NG voices, such as ["en-us", "en-us+f4"] (default: ["en-us"])',
    )
    parser.add_argument("--processes", type=int, default=1, help="processes that speak at once (default: 1)")
    parser.add_argument("--metadata", required=True, help="metadata.csv to write; wavs/ comes beside it")
    arguments = parser.parse_args()
    sentences = read_sentences(arguments.sentences)
    synthesize_corpus(sentences, arguments.clips, arguments.voices, arguments.metadata, arguments.processes)


if __name__ == "__main__":
    run(main)
