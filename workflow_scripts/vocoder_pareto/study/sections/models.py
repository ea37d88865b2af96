"""The models and their sizes."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.sections.front_ends import FrontEndName
from vocoder_pareto.study.sections.weights import WeightsSettings
from vocoder_pareto.study.settings import STRICT

Name = Annotated[str, Field(pattern="^[A-Za-z0-9_]+$")]
ImportPath = Annotated[str, Field(min_length=1)]
Values = dict[str, Any]


@dataclass(frozen=True, config=STRICT)
class SizeSettings:
    """A size of a model. What it sets goes over what its model sets."""

    architecture: Values = Field(default_factory=dict)
    """What fixes the weights; a change retrains."""

    sampling: Values = Field(default_factory=dict)
    """What matters at generation only; a change generates and measures again."""

    training: Values = Field(default_factory=dict)
    """The recipe (learning rate, weights of losses), and any key of the section training."""

    published_convention: Values = Field(default_factory=dict)
    """How the paper's FLOPs were counted, where it differs from: 64 frames, the plain form."""

    front_end: FrontEndName | None = None
    """What makes its mel-spectrograms, one of front_ends; null: that of its model, else paper."""

    weights: WeightsSettings | None = None
    """Weights to use instead of a training, see docs/pretrained.md; null: those of its model, else none."""


@dataclass(frozen=True, config=STRICT)
class ModelSettings(SizeSettings):
    """A model: its classes, and its sizes."""

    vocoder: ImportPath = Field(kw_only=True)
    """Import path of its `Vocoder`: package.module.Class, or path/to/file.py:Class for a file of your own."""

    objective: ImportPath | None = Field(default=None, kw_only=True)
    """Import path of its `Objective`, which trains it; null: none does. Then its weights are given, or brought by its
    class; else they are random, and what it costs is measured alone."""

    sizes: Mapping[Name, SizeSettings] = Field(kw_only=True, min_length=1)
    """Its sizes by name."""

    label: Annotated[str, Field(min_length=1)] | None = None
    """Its name for readers; null: as it is called here."""

    family: Annotated[str, Field(min_length=1)] | None = None
    """Its kind, such as GAN, flow or diffusion, which sub-fronts are drawn for; null: none."""


@dataclass(frozen=True, config=STRICT)
class SharedRecipe:
    """What the recipes of all families have in common, so that it is checked before anything is computed."""

    learning_rate: float | None = Field(default=None, gt=0, le=10)
    """Of the optimiser (> 0)."""

    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] | None = None
    """Decay of the optimiser's means of gradients and of their squares (each 0 to 1)."""
