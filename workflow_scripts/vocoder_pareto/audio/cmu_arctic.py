"""CMU ARCTIC (Kominek & Black, 2004): some 1,130 sentences by each of 18 voices, 16,000 Hz, about 100 MB a voice."""

from vocoder_pareto.audio.archives import ArchivedCorpus
from vocoder_pareto.audio.corpora import ARCTIC_INDEX
from vocoder_pareto.audio.corpus_location import folder_of_arctic
from vocoder_pareto.downloads import Release
from vocoder_pareto.errors import UserError


def arctic_corpus(voice: str) -> ArchivedCorpus:
    """The corpus of a voice, such as slt."""
    return ArchivedCorpus(f"CMU ARCTIC, voice {voice}", "cmu_arctic", folder_of_arctic(voice), ARCTIC_INDEX)


def published_arctic(voice: str) -> Release:
    """The archive of a voice as torchaudio knows it.

    Raises:
        UserError: This version of torchaudio keeps it elsewhere, or knows no such voice.
    """
    archive = f"{folder_of_arctic(voice)}.tar.bz2"
    try:
        from torchaudio.datasets import cmuarctic  # PyTorch takes seconds, and a given release does not need it

        checksums = {url.rpartition("/")[2]: (url, checksum) for url, checksum in cmuarctic._CHECKSUMS.items()}
        return Release(*checksums[archive])
    except (ImportError, AttributeError, KeyError) as error:
        raise UserError(
            f"torchaudio does not tell where {archive} is ({error!r}); install the version in requirements.txt, "
            f"or download {archive} and set dataset.path to it"
        ) from error
