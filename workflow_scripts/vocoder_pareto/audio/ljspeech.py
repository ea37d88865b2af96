"""LJSpeech (Ito & Johnson, 2017): one voice, 24 hours of natural speech at 22,050 Hz."""

from vocoder_pareto.audio.archives import ArchivedCorpus
from vocoder_pareto.downloads import Release
from vocoder_pareto.errors import UserError

LJSPEECH = ArchivedCorpus("LJSpeech 1.1", "ljspeech", "LJSpeech-1.1")


def published_release() -> Release:
    """LJSpeech 1.1 as torchaudio knows it.

    Raises:
        UserError: This version of torchaudio keeps it elsewhere.
    """
    try:
        from torchaudio.datasets import ljspeech  # PyTorch takes seconds, and a given release does not need it

        release = ljspeech._RELEASE_CONFIGS["release1"]
        return Release(release["url"], release["checksum"])
    except (ImportError, AttributeError, KeyError) as error:
        raise UserError(
            f"torchaudio does not tell where LJSpeech is ({error!r}); install the version in requirements.txt, "
            "or download LJSpeech-1.1.tar.bz2 and set dataset.path to it"
        ) from error
