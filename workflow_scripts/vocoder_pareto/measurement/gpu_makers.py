"""Whose graphics hardware a machine has, told without any driver, so that messages name the right mend."""

import platform
import sys
from pathlib import Path

DRM = Path("/sys/class/drm")
_JETSON_FILES = (Path("/etc/nv_tegra_release"), Path("/usr/lib/aarch64-linux-gnu/tegra"))
# Numbers of the PCI-SIG.
_MAKERS = {"0x1002": "AMD", "0x10de": "NVIDIA"}


def gpu_makers() -> set[str]:
    """`AMD` and `NVIDIA`, those of which Linux lists a card; nothing where it cannot tell."""
    found = set()
    for file in DRM.glob("card*/device/vendor"):
        try:
            found.add(_MAKERS.get(file.read_text().strip()))
        except OSError:
            continue
    return {maker for maker in found if maker is not None}


def is_jetson() -> bool:
    """Whether this is a module of NVIDIA's Jetson series, whose GPU is part of the processor."""
    return sys.platform == "linux" and any(file.exists() for file in _JETSON_FILES)


def is_apple_silicon() -> bool:
    """Whether this is a Mac with a processor of Apple's."""
    return sys.platform == "darwin" and platform.machine() == "arm64"
