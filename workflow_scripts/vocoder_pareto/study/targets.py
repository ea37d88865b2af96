"""Targets of a command that lie in another folder of results than the configuration says."""

from collections.abc import Sequence

from vocoder_pareto.errors import UserError

USUAL = "results"  # which documentation and habit name
_TAKE_A_PATH = {"--report", "--archive", "--configfile", "--configfiles", "--directory", "-d"}


def require_targets_in(results: str, command: Sequence[str]) -> None:
    """Refuse targets below `results/` where results go elsewhere: no rule makes them, or an earlier study did.

    Args:
        results: The configured folder of results.
        command: The words of the command.

    Raises:
        UserError: It names the target to ask for instead.
    """
    if results == USUAL:
        return
    for option, word in zip(["", *command], command, strict=False):
        if word.startswith(f"{USUAL}/") and option not in _TAKE_A_PATH:
            raise UserError(
                f"{word}: results go to {results} (config key results_dir), so ask for "
                f"{results}{word.removeprefix(USUAL)}, or leave out the file that sets results_dir"
            )
