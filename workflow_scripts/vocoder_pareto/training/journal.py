"""The journal of a training: its record as of the last reading of the meter, which a kill leaves beside the state."""

import json
import logging
from pathlib import Path

from vocoder_pareto.errors import first_line
from vocoder_pareto.files import canonical_json, write_text
from vocoder_pareto.training.record import LostWork, TrainingRecord

log = logging.getLogger(__name__)


class Journal:
    """The file `journal.json` in the folder of a training's state.

    It is written far more often than a state, and is small: what a kill takes from the weights, it does not take from
    the account of the time and energy that were spent on them.

    Args:
        folder: The folder of the state.
    """

    def __init__(self, folder: Path):
        self.file = folder / "journal.json"

    def write(self, record: TrainingRecord) -> None:
        """Put `record` in the place of the one that is there, whole or not at all.

        It is not forced to the disk, which would cost a step each time: it survives the end of the process, and a
        failure of the power up to what the system had written.

        Raises:
            UserError: The disk is full or cannot be written.
        """
        write_text(self.file, canonical_json(record.as_dict()))

    def read(self) -> TrainingRecord | None:
        """Return the record that is there, or None; of a damaged one, a record whose lost work is unknown."""
        try:
            return TrainingRecord.from_saved(json.loads(self.file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (AttributeError, OSError, ValueError, TypeError, KeyError) as error:
            log.warning("%s: damaged (%s); what was lost since the state stays unknown", self.file, first_line(error))
            return TrainingRecord(ended=True, lost=LostWork(known=False))
