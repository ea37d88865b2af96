"""Whether participants wear headphones: the check of Woods et al. (2017), as tones that the page plays.

Woods, Siegel, Traer and McDermott, "Headphone screening to facilitate web-based auditory experiments", Attention,
Perception, & Psychophysics 79 (2017), section "Method": of three tones of 200 Hz, one is 6 dB quieter, and one of the
others is in antiphase between the channels. Over loudspeakers that one cancels in the air and seems the quietest. Six
times, participants say which one is the quietest; five right answers pass.

The six sounds are the six orders of the three tones, so that each kind of tone comes twice in every place. Their order
is drawn on the page. (The paper sets the level with a noise; here it is set with the speech of the test before.)
"""

from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the rules import this module where NumPy is not installed
    import numpy as np

FREQUENCY_HZ = 200.0
TONE_SECONDS = 1.0  # ramps among them
RAMP_SECONDS = 0.1  # half a Hann window at either end
PAUSE_SECONDS = 0.5
QUIET_DB = -6.0
AMPLITUDE = 0.25  # of the louder tones: an RMS of -15 dB of full scale, near the speech of the test
SAMPLE_RATE = 16000
ENOUGH = 5  # right answers of six
TRIES = 2  # the second after the advice to put headphones on
KINDS = ("loud", "quiet", "antiphase")
ORDERS = tuple(permutations(KINDS))


def headphone_check(how: str) -> dict[str, Any] | None:
    """What the page knows of the check; None where `how`, of `listening_test.page.headphone_check`, is `none`."""
    if how == "none":
        return None
    sounds = [{"name": _name(number), "quietest": order.index("quiet") + 1} for number, order in enumerate(ORDERS, 1)]
    return {"sounds": sounds, "enough": ENOUGH, "tries": TRIES, "is_required": how == "require"}


def write_tones(folder: str | Path) -> None:
    """Write the six sounds into `folder`, 16-bit stereo.

    Raises:
        UserError: The folder cannot be written.
    """
    from vocoder_pareto.audio.files import write_wav  # soundfile, which nobody needs who reads results

    for number, order in enumerate(ORDERS, start=1):
        write_wav(Path(folder) / f"{_name(number)}.wav", tones(order), SAMPLE_RATE)


def tones(order: tuple[str, ...]) -> "np.ndarray":
    """Tones of the kinds in `order` with pauses between them: (T, 2) in [-1, 1] at `SAMPLE_RATE`, left and right."""
    import numpy as np

    times = np.arange(round(TONE_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    rising = np.clip(np.minimum(times, TONE_SECONDS - times) / RAMP_SECONDS, 0, 1)
    tone = AMPLITUDE * np.sin(2 * np.pi * FREQUENCY_HZ * times) * np.sin(np.pi / 2 * rising) ** 2
    quiet = tone * 10 ** (QUIET_DB / 20)
    channels = {"loud": (tone, tone), "quiet": (quiet, quiet), "antiphase": (tone, -tone)}
    pause = np.zeros((round(PAUSE_SECONDS * SAMPLE_RATE), 2))
    parts = [part for kind in order for part in (pause, np.stack(channels[kind], axis=1))]
    return np.concatenate(parts[1:])


def _name(number: int) -> str:
    return f"tones{number}"
