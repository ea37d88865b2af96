"""What the worker processes of the tests do; they import it by name."""

import os
import signal
import time


def square(number):
    return number * number


def fail_at_seven(number):
    if number == 7:
        raise ValueError("seven")
    return number


def die_at_seven(number):
    if number == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def threads_allowed(number):
    return os.environ.get("OMP_NUM_THREADS")


def wait_and_tell(folder):
    (folder / f"{os.getpid()}.pid").touch()
    time.sleep(3600)  # longer than anyone waits for its end


def wait_and_die(_):
    time.sleep(0.5)  # so that further items are on their way
    os.kill(os.getpid(), signal.SIGKILL)
