"""Make a corpus of synthetic speech with eSpeak NG, in the layout of LJSpeech: wavs/*.wav beside metadata.csv."""

import argparse
from pathlib import Path

from vocoder_pareto.audio.synthetic_corpus import read_sentences, synthesize_corpus
from vocoder_pareto.program import int_or_null, run_program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=Path, required=True, help="text file, a sentence per line")
    parser.add_argument(
        "--max-clips",
        type=int_or_null,
        required=True,
        help="clips at most, the first ones (20 to 13100; null for 13100)",
    )
    parser.add_argument(
        "--voices",
        nargs="+",
        default=["en-us"],
        help="voices of eSpeak NG, which take turns (en-us en-us+f4, say; default: en-us)",
    )
    parser.add_argument("--processes", type=int, default=1, help="processes that work at once (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="metadata.csv to write; wavs/ comes beside it")
    arguments = parser.parse_args()
    sentences = read_sentences(arguments.sentences)
    synthesize_corpus(sentences, arguments.max_clips, arguments.voices, arguments.output, arguments.processes)


if __name__ == "__main__":
    run_program(main)
