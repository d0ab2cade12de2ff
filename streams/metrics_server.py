"""Serves `/metrics` from a thread, for processes that have no HTTP server of their own."""

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer

from prometheus_client import CollectorRegistry

from streams.metrics import exposition

REQUEST_TIMEOUT_S = 2.0
"""A request is read and answered in this time; one is served at a time, scrapes are seconds apart."""
STOP_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class MetricsServer:
    """A running server; `port` is the one it got."""

    port: int
    _server: HTTPServer
    _thread: threading.Thread

    def stop(self) -> None:
        """Have it gone."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(STOP_TIMEOUT_S)


def serve_metrics(registry: CollectorRegistry, host: str = "127.0.0.1", port: int = 0) -> MetricsServer:
    """Serve `GET /metrics` of `registry` until `stop`; port 0 takes a free one. OSError when the port is taken."""

    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_TIMEOUT_S

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404)
                return
            body, content_type = exposition(registry)
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A scrape is no event."""

    server = HTTPServer((host, port), Handler)
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    return MetricsServer(server.server_port, server, thread)
