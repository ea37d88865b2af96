"""LJSpeech (Ito & Johnson, 2017): one voice, 24 hours of natural speech at 22,050 Hz."""

from vocoder_pareto.audio.archives import ArchivedCorpus
from vocoder_pareto.downloads import Release

LJSPEECH = ArchivedCorpus("LJSpeech 1.1", "ljspeech", "LJSpeech-1.1")

# The same address and checksum as in torchaudio 2.11 and earlier, which a test compares.
RELEASE = Release(
    "https://data.keithito.com/data/speech/LJSpeech-1.1.tar.bz2",
    "be1a30453f28eb8dd26af4101ae40cbf2c50413b1bb21936cbcdc6fae3de8aa5",
)
