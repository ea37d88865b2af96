"""Corpora that are published as an archive: a resumable download, its checksum, and safe extraction."""

import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vocoder_pareto.audio.corpora import SourceFile, list_corpus
from vocoder_pareto.downloads import Release, bytes_bar, download, sha256_of
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.companions import record_companions
from vocoder_pareto.study.sections.dataset import Source


@dataclass(frozen=True)
class ArchivedCorpus:
    """A corpus that is published as an archive with one folder in it.

    Attributes:
        name: What messages call it.
        source: What `dataset.source` calls it.
        folder: The name of its folder, and without its suffixes that of the archive.
        index: The file of the folder that lists its recordings.
    """

    name: str
    source: Source
    folder: str
    index: str = "metadata.csv"


def fetch_archive(corpus: ArchivedCorpus, release: Release, archive: str | Path | None, folder: str | Path) -> None:
    """Make `folder` (…/LJSpeech-1.1, say) from the user's `archive`, or from a download that is kept beside `folder`.

    `folder` appears whole; an earlier one is replaced. An interrupted download goes on where it stopped.

    Args:
        corpus: The corpus.
        release: The release, whose checksum the archive must have.
        archive: The user's archive; None for a download.
        folder: The folder to make.

    Raises:
        UserError: The archive is missing or has another checksum, the download fails, or the disk is full.
    """
    folder = Path(folder)
    if archive is None:
        archive = folder.parent / Path(release.url).name
        if not archive.is_file():
            download(release, archive, f"set dataset.path to the folder {corpus.folder} or to {corpus.folder}.tar.bz2")
        else:
            check_archive(corpus, archive, release.sha256, "delete it, and it is downloaded again")
    else:
        mend = "download it again, or extract it yourself and set dataset.path to the folder"
        check_archive(corpus, Path(archive), release.sha256, mend)
    extract(corpus, Path(archive), folder)


def check_archive(corpus: ArchivedCorpus, archive: Path, sha256: str | None, mend: str) -> None:
    """Check that an archive is the published one.

    Args:
        corpus: The corpus.
        archive: The file.
        sha256: The SHA-256 that it must have, 64 hex digits; None: any.
        mend: What to do about another one, for the message.

    Raises:
        UserError: The file cannot be read or has another SHA-256.
    """
    try:
        found = sha256_of(archive)
    except OSError as error:
        raise UserError(f"{archive}: cannot be read ({error.strerror}); mend dataset.path") from error
    if sha256 not in (found, None):
        raise UserError(f"{archive}: its SHA-256 is {found}, not {sha256}: it is damaged or not {corpus.name}; {mend}")


def extract(corpus: ArchivedCorpus, archive: Path, folder: Path) -> None:
    """Extract `archive`, whose top folder is named as `folder` is, so that `folder` appears whole.

    Raises:
        UserError: A member would leave the folder, or is a device or the like; the archive is truncated, damaged, or
            of another layout; the disk is full.
    """
    unpacked = folder.with_name(f".{folder.name}.extracting")
    old = folder.with_name(f".{folder.name}.old")
    try:
        for leftover in (unpacked, old):  # of an interrupted run
            shutil.rmtree(leftover, ignore_errors=True)
        unpacked.mkdir(parents=True)
        with (
            archive.open("rb") as file,
            tarfile.open(fileobj=file, mode="r|*") as members,  # a stream, so that it is decompressed once
            bytes_bar("Extracting", archive.stat().st_size) as bar,
        ):
            for member in members:
                if not _stays_inside(member):
                    raise UserError(f"{archive}: refused, since a member is unsafe to extract ({member.name})")
                _extract_member(members, member, unpacked)
                bar.update(file.tell() - bar.n)
        _record_recordings(corpus, archive, unpacked / folder.name)
        if folder.exists():
            folder.rename(old)
        (unpacked / folder.name).rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except (tarfile.TarError, EOFError) as error:
        raise UserError(f"{archive}: truncated or damaged ({error}); download it again") from error
    except OSError as error:
        raise UserError(f"{archive}: cannot be extracted to {folder} ({error.strerror or error})") from error
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _stays_inside(member: tarfile.TarInfo) -> bool:
    """Whether it is a folder or file (no link, no device) whose path cannot lead out of the folder of extraction.

    Python's own filter `data` would do, but the Python 3.11.2 of Debian 12 does not have it.
    """
    path = PurePosixPath(member.name)
    return (member.isdir() or member.isfile()) and not path.is_absolute() and ".." not in path.parts


def _extract_member(members: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    target = folder / member.name
    content = members.extractfile(member)
    if content is None:  # a folder
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file)


def _record_recordings(corpus: ArchivedCorpus, archive: Path, folder: Path) -> None:
    """Record them; raise UserError if one is missing, since tarfile takes some truncated archives for whole ones."""
    if not (folder / corpus.index).is_file():
        raise UserError(f"{archive}: holds no {folder.name}/{corpus.index}, so it is truncated or not {corpus.name}")
    recordings = list_corpus(corpus.source, folder)
    files = [folder / recording.name for recording in recordings]
    missing = [file.relative_to(folder).as_posix() for file in files if not file.is_file()]
    if missing:
        raise UserError(f"{archive}: truncated: {len(missing)} recordings are missing, the first is {missing[0]}")
    record_companions(folder / "metadata.csv", files)
    if corpus.index != "metadata.csv":
        _list_recordings(folder / "metadata.csv", recordings)


def _list_recordings(metadata: Path, recordings: list[SourceFile]) -> None:
    """Write what the rule of the corpus makes: the identifiers of the recordings, a line each."""
    metadata.write_text("".join(f"{recording.clip_id}\n" for recording in recordings), encoding="utf-8")
