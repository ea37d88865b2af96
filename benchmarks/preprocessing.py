"""From recordings to normalised mel-spectrograms: ours against librosa on whole recordings, and ours on several cores.

Both read the same synthetic corpus, made on the fly, and are timed alternately in one run, 40 recordings at a time.
librosa's way is `librosa.load` of the whole recording, its first 2^14 samples, `librosa.feature.melspectrogram`.

Run it with one thread per process: `OMP_NUM_THREADS=1 PYTHONPATH=workflow_scripts python benchmarks/preprocessing.py`;
`--output-document docs/performance.md` puts the tables there.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import librosa
import numpy as np
import soundfile
import torch
from documented import replace_sections, require_sections, table

from vocoder_pareto.audio.clips import load_clip, prepare_clips
from vocoder_pareto.audio.features import features
from vocoder_pareto.audio.mels import BATCH, compute_mels
from vocoder_pareto.audio.synthetic_corpus import read_sentences, synthesize_corpus
from vocoder_pareto.program import run_program
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.sections.front_ends import FrontEndSettings

FRONT_END, SAMPLES = FrontEndSettings(), 16384
SENTENCES = Path(__file__).parents[1] / "resources" / "sentences.txt"


def ours(files: list[Path]) -> np.ndarray:
    log_mels = []
    for start in range(0, len(files), BATCH):
        batch = files[start : start + BATCH]
        clips = np.stack([load_clip(file, FRONT_END.sample_rate, SAMPLES)[0] for file in batch])
        log_mels.append(features(torch.from_numpy(clips), FRONT_END).numpy())
    return np.concatenate(log_mels)


def with_librosa(files: list[Path]) -> np.ndarray:
    log_mels = []
    for file in files:
        samples = librosa.load(file, sr=FRONT_END.sample_rate)[0][:SAMPLES]
        samples = np.pad(samples, (0, SAMPLES - len(samples)))
        mel = librosa.feature.melspectrogram(
            y=samples,
            sr=FRONT_END.sample_rate,
            n_fft=FRONT_END.n_fft,
            hop_length=FRONT_END.hop_length,
            n_mels=FRONT_END.n_mels,
            pad_mode="reflect",
        )
        log_mels.append(np.log1p(mel)[:, : SAMPLES // FRONT_END.hop_length])
    return np.stack(log_mels)


def compare(corpus: Path, rounds: int) -> str:
    """Both ways alternately, as a table. CPU time is compared, so that other work on the machine disturbs little."""
    files = sorted((corpus / "wavs").glob("*.wav"))
    turns = [files[start : start + 40] for start in range(0, len(files), 40)]
    difference = max(float(np.abs(ours(turn) - with_librosa(turn)).max()) for turn in turns)  # warms up, too
    seconds = {ours: [], with_librosa: []}
    for _ in range(rounds):
        for spent in seconds.values():
            spent.append(0.0)
        for turn in turns:
            for way, spent in seconds.items():
                start = time.process_time()
                way(turn)
                spent[-1] += time.process_time() - start
    ratios = [slow / fast for fast, slow in zip(seconds[ours], seconds[with_librosa], strict=True)]
    speeds = {way.__name__: f"{len(files) / statistics.median(spent):.0f}" for way, spent in seconds.items()}
    seconds_each = statistics.mean(soundfile.info(file).duration for file in files)
    return (
        "Clips per second and core:\n\n"
        + table(
            ["ours", "librosa", "ratio (range)"],
            [
                [
                    speeds["ours"],
                    speeds["with_librosa"],
                    f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f}–{max(ratios):.2f})",
                ]
            ],
        )
        + f"\n\n{len(files)} recordings of {seconds_each:.1f} s on average; largest difference of log-mels: "
        f"{difference:.0e}."
    )


def seconds_of_both_stages(corpus: Path, cores: int) -> tuple[float, float]:
    """Seconds that prepare_clips and compute_mels take, start of processes and writing of files included."""
    with tempfile.TemporaryDirectory() as folder:
        clips, table, skipped, summary, mels, ranges, stats = (Path(folder, str(number)) for number in range(7))
        start = time.perf_counter()
        settings = DatasetSettings("synthetic", clips=None)
        form = {"sample_rate": FRONT_END.sample_rate, "clip_samples": SAMPLES, "seed": 0}
        outputs = {"clips": clips, "table": table, "skipped": skipped, "summary": summary}
        prepare_clips(corpus, settings, **form, processes=cores, **outputs)
        middle = time.perf_counter()
        outputs = {"mels": mels, "ranges": ranges, "stats": stats}
        compute_mels(clips, table, FRONT_END, processes=cores, **outputs)
        return middle - start, time.perf_counter() - middle


def scale(corpus: Path, cores: list[int]) -> str:
    """Wall-clock speed on several cores, as a table."""
    clips = sum(1 for _ in (corpus / "wavs").iterdir())
    rows = []
    for count in cores:
        cutting, analysing = seconds_of_both_stages(corpus, count)
        rates = (clips / cutting, clips / analysing, clips / (cutting + analysing))
        rows.append([str(count), *(f"{rate:.0f}" for rate in rates)])
    columns = ["cores", "clips/s of prepare_clips", "of compute_mels", "of both"]
    return f"{clips} recordings, start of processes and writing of files included:\n\n{table(columns, rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--clip-count", type=int, default=200, help="how many clips to make (for the comparison; default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often to repeat (default: %(default)s)")
    parser.add_argument(
        "--scaling-clip-count",
        type=int,
        default=2000,
        help="how many clips to make for several cores (default: %(default)s)",
    )
    parser.add_argument(
        "--cores", type=int, nargs="+", default=[1, 2, 4], help="numbers of cores (default: %(default)s)"
    )
    parser.add_argument("--output-document", type=Path, help="document to write the tables into (docs/performance.md)")
    arguments = parser.parse_args()
    require_sections(arguments.output_document, ["preprocessing"])
    torch.set_num_threads(1)
    sentences = read_sentences(SENTENCES)
    # Two sentences last about as long as a recording of LJSpeech, 6.6 s on average.
    sentences = [f"{first} {second}" for first, second in zip(sentences, reversed(sentences), strict=True)]
    with tempfile.TemporaryDirectory() as few, tempfile.TemporaryDirectory() as many:
        synthesize_corpus(sentences, arguments.clip_count, ["en-us"], Path(few, "metadata.csv"), processes=4)
        text = compare(Path(few), arguments.rounds)
        synthesize_corpus(sentences, arguments.scaling_clip_count, ["en-us"], Path(many, "metadata.csv"), processes=4)
        text += f"\n\n{scale(Path(many), arguments.cores)}"
    print(text)
    replace_sections(arguments.output_document, {"preprocessing": text})


if __name__ == "__main__":
    run_program(main)
