"""Runs a training in one process after the other and kills each at a random moment, until one comes to its end.

    python killed_often.py FOLDER JOB

PYTHONPATH holds this folder and the library's. FOLDER is that of a `Workbench`, JOB the keywords of its `job` as JSON.
Prints how many processes were killed.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from workbench import Workbench

MOST_KILLS = 60


def main() -> None:
    bench, keywords = Workbench(Path(sys.argv[1])), json.loads(sys.argv[2])
    moments = random.Random(0)
    for killed in range(MOST_KILLS):
        child = os.fork()  # no work of PyTorch was done in this process
        if child == 0:
            bench.train(**keywords)
            os._exit(0)
        end = time.monotonic() + moments.uniform(0.05, 0.8 * 1.1**killed)  # longer, for the sake of slow machines
        while time.monotonic() < end:
            if os.waitpid(child, os.WNOHANG)[0]:
                print(killed)
                return
            time.sleep(0.005)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    sys.exit("it never came to its end")


if __name__ == "__main__":
    main()
