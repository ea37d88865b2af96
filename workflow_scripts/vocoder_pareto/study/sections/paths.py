"""Paths in the configuration mean what a shell means by them."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field


def as_shell_means(text: str) -> str:
    """The one spelling of a path: `~/x` is below the home folder, and `./x`, `x/`, `a/../x` and `/here/x` are `x`.

    `..` leaves the folder that a link leads to, as it does for every command of a shell but `cd`.
    """
    path = Path(os.path.normpath(_links_followed(os.path.expanduser(text))))
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _links_followed(text: str) -> str:
    """`text` with each link that `..` follows replaced by what it leads to."""
    parts = Path(text).parts
    path = Path()
    for part, following in zip(parts, (*parts[1:], ""), strict=True):
        path = Path(os.path.normpath(path / part)) if part == ".." else path / part
        if following == ".." and path.is_symlink():
            path = path.resolve()
    return str(path)


def _own_folder(text: str) -> str:
    path = as_shell_means(text)
    if Path.cwd().is_relative_to(os.path.normpath(Path.cwd() / path)):
        where = "the current folder" if path == "." else "a folder around the current one"
        raise ValueError(f"{text!r} is {where}; give the results a folder of their own, such as results")
    if path.startswith(("-", "~")) or set(path) & set("{}"):
        raise ValueError(f"{text!r} is not allowed; take a name without {{ and }} that begins with neither - nor ~")
    return path


def _null_as_text(value: object) -> object:
    return None if value in ("null", "~") else value  # as Snakemake hands on `--config dataset="{path: null}"`


FilePath = Annotated[str, Field(min_length=1), AfterValidator(as_shell_means)]
OptionalPath = Annotated[FilePath | None, BeforeValidator(_null_as_text)]
ResultsFolder = Annotated[str, Field(min_length=1), AfterValidator(_own_folder)]
