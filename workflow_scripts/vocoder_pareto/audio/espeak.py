"""Speech synthesis with eSpeak NG, through ctypes on the shared library that `espeakng-loader` holds.

Source: speak_lib.h of eSpeak NG 1.52 (its C interface).
"""

import ctypes
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import espeakng_loader

from vocoder_pareto.errors import UserError

SAMPLE_RATE = 22050  # of all formant voices of eSpeak NG

_LONGEST_PATH = 159  # bytes of the data folder's path; it cuts longer ones short, and ends the process (tried)

# From speak_lib.h
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_EE_OK = 0
_POS_CHARACTER = 1
_ESPEAK_CHARS_UTF8 = 1
_ESPEAK_RATE, _ESPEAK_PITCH = 1, 3
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def synthesize_speech(text: str, voice: str = "en-us", words_per_minute: int = 175, pitch: int = 50) -> bytes:
    """Speak `text` and return it as 16-bit PCM, mono, 22,050 Hz, in the machine's byte order.

    Equal arguments give equal bytes, whatever was spoken before: eSpeak NG keeps the state of its wave generator from
    one utterance to the next, even over its own termination, so the library is loaded afresh for each (0.5 ms).

    Args:
        text: The text to say.
        voice: A language of eSpeak NG (`en-us`, `en-gb-x-rp`), if wanted with a variant (`en-us+f4`).
        words_per_minute: The speed in words per minute, 80 to 450.
        pitch: The pitch on eSpeak NG's scale, 0 to 99.

    Raises:
        UserError: There is no such voice, or the library cannot be used.
        ValueError: Nothing was spoken.
    """
    _check_variant(voice)
    library = _load()
    pcm = bytearray()

    def collect(samples, count, _events) -> int:
        if samples and count > 0:
            pcm.extend(ctypes.string_at(samples, count * ctypes.sizeof(ctypes.c_short)))
        return 0  # go on

    callback = _CALLBACK(collect)  # kept alive until the library is gone
    try:
        _start(library, callback)
        _set_voice(library, voice)
        library.espeak_SetParameter(_ESPEAK_RATE, words_per_minute, 0)
        library.espeak_SetParameter(_ESPEAK_PITCH, pitch, 0)
        encoded = text.encode() + b"\0"
        size = ctypes.c_size_t(len(encoded))
        library.espeak_Synth(encoded, size, 0, _POS_CHARACTER, 0, _ESPEAK_CHARS_UTF8, None, None)
    finally:
        library.espeak_Terminate()
        _unload(library)
    if not pcm:
        raise ValueError(f"eSpeak NG said nothing for {text!r}")
    return bytes(pcm)


def require_voice(voice: str) -> None:
    """Refuse a voice that eSpeak NG does not have, or does not speak the same way each time.

    Raises:
        UserError: It names the voice and what to try, or the library cannot be used.
    """
    _check_variant(voice)
    library = _load()
    try:
        _start(library, _CALLBACK(lambda samples, count, _events: 0))
        _set_voice(library, voice)
    finally:
        library.espeak_Terminate()
        _unload(library)


def _set_voice(library: ctypes.CDLL, voice: str) -> None:
    if library.espeak_SetVoiceByName(voice.encode()) != _EE_OK:
        raise UserError(f"config key dataset.voices: eSpeak NG has no voice {voice!r}; try en-us, en or en-gb-x-rp")


def _check_variant(voice: str) -> None:
    """Raise UserError for a variant (`+f4`) that is not repeatable, or does not exist: eSpeak NG would ignore it."""
    _, plus, variant = voice.partition("+")
    if plus and variant not in _variants():
        raise UserError(
            f"config key dataset.voices: {voice!r} is not allowed; variants that speak the same way each time are "
            f"{', '.join(sorted(_variants(), key=str.lower))}"
        )


@cache
def _variants() -> frozenset[str]:
    """All variants without breath: its noise is another one in each process (tried with eSpeak NG 1.52)."""
    files = Path(espeakng_loader.get_data_path(), "voices", "!v").iterdir()
    return frozenset(file.name for file in files if not re.search(rb"^\s*breath", file.read_bytes(), re.MULTILINE))


def _load() -> ctypes.CDLL:
    try:
        return ctypes.CDLL(espeakng_loader.get_library_path())
    except OSError as error:
        raise UserError(f"eSpeak NG cannot be loaded ({error}); reinstall it: pip install espeakng-loader") from error


def _start(library: ctypes.CDLL, callback: Callable) -> None:
    data = _data_path()
    rate = library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, os.fsencode(data), 0)
    if rate != SAMPLE_RATE:
        raise UserError(
            f"eSpeak NG started with {rate} Hz instead of {SAMPLE_RATE} (its data folder: {data}); "
            "reinstall it: pip install espeakng-loader"
        )
    library.espeak_SetSynthCallback(callback)


def _data_path() -> str:
    """The data folder, named from the working folder if that is shorter."""
    absolute = espeakng_loader.get_data_path()
    path = min(absolute, os.path.relpath(absolute), key=lambda path: len(os.fsencode(path)))
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise UserError(
            f"{absolute}: eSpeak NG takes no path of more than {_LONGEST_PATH} bytes; install it at a shorter one "
            "(with conda: snakemake --conda-prefix), or take recordings (config key dataset.source)"
        )
    return path


def _unload(library: ctypes.CDLL) -> None:
    ctypes.CDLL(None).dlclose(ctypes.c_void_p(library._handle))
