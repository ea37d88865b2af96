"""What stands for `python` where a warm one waits: `python warm_client.py SOCKET WORD…`, see warm_python.py.

It starts in hundredths of a second (`python -IS`), so it imports next to nothing. Words that are neither those of a
program nor `-m` and a module are for Python itself.
"""

import json
import os
import socket
import sys

LENGTH_BYTES = 8

address, *words = sys.argv[1:]
if not words or (words[0].startswith("-") and words[0] != "-m"):
    os.execv(sys.executable, [sys.executable, *words])
request = json.dumps([os.getcwd(), words, dict(os.environ)]).encode()
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(address)
    socket.send_fds(connection, [len(request).to_bytes(LENGTH_BYTES, "big")], [0, 1, 2])
    connection.sendall(request)
    answer = connection.recv(LENGTH_BYTES)
if not answer:
    sys.exit("the warm Python has ended")
status = int.from_bytes(answer, "big", signed=True)
if status < 0:  # a signal, as a shell would see it
    os.kill(os.getpid(), -status)
sys.exit(status)
