"""Runs a training under a simulated meter, and kills it by SIGKILL after given numbers of steps, until it is over.

    python killed_while_metered.py FOLDER SECONDS_PER_STEP WATTS STEPS KILLS…

A step takes SECONDS_PER_STEP by a clock that nothing else moves, and a state is saved every three steps. Each step that
was taken, whether its work was lost or not, leaves a line in FOLDER/taken.txt: what was spent is known from there.
"""

import os
import signal
import sys
from pathlib import Path

from steady_sensor import HandClock, SteadySensor, let_trainings_go_by
from workbench import Workbench

from vocoder_pareto.training.loop import TrainingLoop


def simulate(clock: HandClock, taken: Path, seconds_per_step: float, watts: float, kills: list[int]) -> None:
    let_trainings_go_by(clock, SteadySensor(clock, watts=watts), seconds_per_step)
    end_of_step = TrainingLoop.on_train_batch_end

    def end_of_told_step(*arguments):
        end_of_step(*arguments)
        with taken.open("a") as file:
            file.write("step\n")
        if len(taken.read_text().split()) in kills:
            os.kill(os.getpid(), signal.SIGKILL)

    TrainingLoop.on_train_batch_end = end_of_told_step


def main() -> None:
    folder, seconds_per_step, watts = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    steps, kills = int(sys.argv[4]), [int(each) for each in sys.argv[5:]]
    simulate(HandClock(), folder / "taken.txt", seconds_per_step, watts, kills)
    while True:
        child = os.fork()  # no work of PyTorch was done in this process
        if child == 0:
            Workbench(folder).train(steps=steps, checkpoint_minutes=2.5 * seconds_per_step / 60, validation_clips=0)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
