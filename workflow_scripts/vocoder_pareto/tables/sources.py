"""The words for where a number comes from: as files hold them, and as readers see them.

Tables, captions, the report page and the documentation take them from here. A column `…_source` holds one of them, or
nothing where there is no number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vocoder_pareto.tables.columns import ENERGY


@dataclass(frozen=True)
class Source:
    """Where a number comes from.

    Attributes:
        word: as in files.
        mark: what stands at a number in tables for readers, explained below them by `label`.
        label: what readers see in captions and below tables; follows "Energy:".
        meaning: the same in full, for the report page and the documentation.
        given_by: `paper`, `study` (counted or timed here), `meter`, `listeners`, `predictor`, or `nothing`.
        compares_with: words of other sources whose numbers may share an axis with its own, or be divided by them;
            numbers of one source always may, on the same device and in the same test.
        stands_in: whether nobody measured, counted or printed the number: readers are warned.
        notes: what else readers must know of a column from this source, by the name of the column.
    """

    word: str
    mark: str
    label: str
    meaning: str
    given_by: Literal["paper", "study", "meter", "listeners", "predictor", "nothing"] = "nothing"
    compares_with: tuple[str, ...] = ()
    stands_in: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)

    def described(self, *columns: str) -> str:
        """The label, followed by the notes on `columns`."""
        return ", ".join([self.label, *(self.notes[name] for name in columns if name in self.notes)])


PUBLISHED = Source(
    "published", "p", "printed by Douwes et al. 2023", "as published by Douwes et al. 2023", "paper",
    notes={ENERGY: "mJ read as J", "mos_ci95": "95 % intervals inferred"},
)  # fmt: skip
CONVERTED = Source(
    "converted", "c", "printed by Douwes et al. 2023, converted", "as published, converted to another unit",
    "paper",
)  # fmt: skip
INFERRED = Source(
    "inferred", "i", "inferred from the printed ±", "inferred from what the paper prints as ±", "paper"
)  # fmt: skip
COUNTED = Source("counted", "k", "counted on the model", "counted on the model as it runs", "study", ("published",))
MEASURED = Source("measured", "m", "measured", "measured on this study's audio", "study", ("published",))
NVML = Source(
    "nvml", "n", "measured by NVML", "measured by the GPU's own counter (NVML)", "meter", ("published",)
)  # fmt: skip
NVML_MODULE = Source(
    "nvml_module", "M", "measured by NVML, whole module",
    "measured by the counter of a module of GPU and Grace CPU (NVML)", "meter",
)  # fmt: skip
NVML_POWER = Source(
    "nvml_power", "w", "power read by NVML, integrated",
    "integrated from readings of the power of a GPU without counter of energy (NVML)", "meter", ("nvml", "published"),
)  # fmt: skip
ZEUS_AMD = Source("zeus_amd", "a", "measured by Zeus, AMD GPU", "measured by an AMD GPU's own counter (Zeus)", "meter")
ZEUS_APPLE = Source(
    "zeus_apple", "A", "measured by Zeus, Apple Silicon", "measured by the counters of Apple Silicon (Zeus)", "meter"
)  # fmt: skip
ZEUS_JETSON = Source(
    "zeus_jetson", "j", "measured by Zeus, Jetson", "integrated from readings of a Jetson's power (Zeus)", "meter"
)  # fmt: skip
RAPL = Source("rapl", "r", "measured by RAPL", "measured by the processor's own counter (RAPL)", "meter")
ESTIMATED = Source(
    "estimated", "e", "estimated from CPU time", "estimated as CPU time × configured watts per core", "meter",
    stands_in=True,
)  # fmt: skip
LISTENING_TEST = Source(
    "listening_test", "l", "our listening test", "rated in this study's listening test", "listeners"
)  # fmt: skip
SIMULATED = Source(
    "simulated", "s", "SIMULATED listeners, for demonstration only", "simulated, of no evidential value", "listeners",
    stands_in=True,
)  # fmt: skip
PREDICTED = Source(
    "predicted:distillmos-0.9.1", "d", "predicted by DistillMOS 0.9.1, rated by nobody",
    "predicted by a network from the audio (DistillMOS 0.9.1), rated by nobody", "predictor",
)  # fmt: skip
PREDICTED_BY_UTMOS = Source(
    "predicted:utmos22-strong", "U", "predicted by UTMOS, rated by nobody",
    "predicted by a network from the audio (UTMOS, strong learner), rated by nobody", "predictor",
)  # fmt: skip
NONE = Source("none", "-", "not metered", "trained on a device whose energy nothing can meter")
UNTRAINED = Source("untrained", "u", "not trained", "not trained: the weights are as they are initialised")

SOURCES = {
    source.word: source
    for source in (
        PUBLISHED, CONVERTED, INFERRED, COUNTED, MEASURED, NVML, NVML_MODULE, NVML_POWER, RAPL, ZEUS_AMD, ZEUS_APPLE,
        ZEUS_JETSON, ESTIMATED, LISTENING_TEST, SIMULATED, PREDICTED, PREDICTED_BY_UTMOS,
        NONE, UNTRAINED,
    )
}  # fmt: skip
LISTENER_WORDS = tuple(source.word for source in SOURCES.values() if source.given_by == "listeners")


def source_of(word: str) -> Source:
    """The source that files call `word`; one that is not in the table, such as a user's own meter, is called by it."""
    return SOURCES.get(word) or Source(word, word, word, word)
