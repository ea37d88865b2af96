"""Receive the answers of the listening test's page over HTTP, each into a file of its own, until it is interrupted."""

import logging
import signal
from contextlib import suppress
from pathlib import Path

from vocoder_pareto.listening_test.receiver import PATH, Limits, receiver
from vocoder_pareto.listening_test.wsgi_server import server_of
from vocoder_pareto.program import Parser, run_program


def main() -> None:
    parser = Parser(description=__doc__)
    parser.add_argument("--key", type=Path, required=True, help="key.json of export_listening_test.py")
    parser.add_argument("--output", type=Path, required=True, help="folder to write the answers into")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen at (default: %(default)s)")
    parser.add_argument(
        "--allowed-origin", default="*", help="origin of pages that may send, https://… (default: %(default)s, any)"
    )
    parser.add_argument(
        "--trusted-proxies", nargs="*", default=[], help="addresses of your proxies, whose X-Forwarded-For is believed"
    )
    standard = Limits()
    for name, what in (
        ("max_bytes", "bytes of one submission"),
        ("max_per_minute", "submissions of one address in a minute"),
        ("max_total_bytes", "bytes of all files together"),
    ):
        flag, default = f"--{name.replace('_', '-')}", getattr(standard, name)
        parser.add_argument(flag, type=int, default=default, help=f"{what} (default: %(default)s)")
    arguments = parser.parse_args()

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    limits = Limits(arguments.max_bytes, arguments.max_per_minute, arguments.max_total_bytes)
    application = receiver(arguments.key, arguments.output, limits, arguments.allowed_origin, arguments.trusted_proxies)
    for stop in (signal.SIGINT, signal.SIGTERM):  # also where a shell in the background ignores the first
        signal.signal(stop, signal.default_int_handler)
    with server_of(application, arguments.host, arguments.port) as server, suppress(KeyboardInterrupt):
        logging.info("answers to http://%s:%d%s go to %s", arguments.host, server.server_port, PATH, arguments.output)
        server.serve_forever()


if __name__ == "__main__":
    run_program(main)
