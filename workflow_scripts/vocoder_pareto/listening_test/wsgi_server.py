"""The server of the standard library, with threads and time-outs, for a receiver behind a proxy or in a laboratory."""

import logging
from socketserver import ThreadingMixIn
from threading import BoundedSemaphore
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import WSGIApplication

from vocoder_pareto.errors import UserError

TIMEOUT_SECONDS = 30  # for each part of a request to come
MOST_AT_ONCE = 64  # requests; the others wait

logger = logging.getLogger(__name__)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    free = BoundedSemaphore(MOST_AT_ONCE)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.free.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.warning("a connection ended before its answer", exc_info=logger.isEnabledFor(logging.DEBUG))


class _Handler(WSGIRequestHandler):
    timeout = TIMEOUT_SECONDS

    def address_string(self) -> str:
        return self.client_address[0]  # without asking for its name, which takes seconds

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the application logs what it did, and who took part is nobody's business."""


def server_of(application: WSGIApplication, host: str, port: int) -> WSGIServer:
    """A server of `application`, which its `serve_forever` starts.

    Raises:
        UserError: The host or port cannot be served.
    """
    try:
        return make_server(host, port, application, _Server, _Handler)
    except (OSError, OverflowError) as error:
        raise UserError(f"{host}:{port}: cannot be served ({error}); choose another --host or --port") from error
