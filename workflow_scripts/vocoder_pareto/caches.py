"""Folders for what libraries compile and look up, where a home cannot be written, as in many containers.

numba, which librosa compiles by, ends with an error where it can keep nothing; matplotlib lists all fonts anew in every
process; PyTorch's compilers ask for the name of a user that may have none.
"""

import os
import stat
import tempfile
from pathlib import Path

_FOLDERS = {
    "NUMBA_CACHE_DIR": "numba",
    "MPLCONFIGDIR": "matplotlib",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "TRITON_CACHE_DIR": "triton",
}


def use_writable_caches() -> None:
    """Point libraries to folders of this user below the one for temporary files, if the home cannot be written.

    To be called before they are imported. What the environment already says stays; what these folders hold speeds up
    later processes. Where there is no such folder either, nothing changes.
    """
    if _is_writable(_home_folder("XDG_CACHE_HOME", ".cache")) and _is_writable(
        _home_folder("XDG_CONFIG_HOME", ".config")
    ):
        return
    folder = _own_folder()
    if folder is not None:
        for variable, name in _FOLDERS.items():
            os.environ.setdefault(variable, str(folder / name))


def _home_folder(variable: str, name: str) -> Path | None:
    """Where programs of this user keep things; None where nobody knows a home."""
    home = os.path.expanduser("~")
    return Path(os.environ.get(variable) or os.path.join(home, name)) if os.path.isabs(home) else None


def _is_writable(folder: Path | None) -> bool:
    """Whether files can be made in a folder, or in a new one of this name."""
    if folder is None:
        return False
    existing = next(each for each in (folder, *folder.parents) if os.path.exists(each))  # of what this user may see
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _own_folder() -> Path | None:
    """A folder that nobody else can write: numba runs what it finds there."""
    try:
        folder = Path(tempfile.gettempdir(), f"vocoder-pareto-{os.getuid()}")
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return folder if is_own else None
