"""A collector of OpenTelemetry: a small server that reads its protobuf."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

SECONDS = 30


class Collector(ThreadingHTTPServer):
    """Answers every request with `status`; what came with 200 is in `requests`, with its headers."""

    status = 200
    daemon_threads = True

    def __init__(self) -> None:
        self.asked, self.answering = threading.Event(), threading.Event()
        self.answering.set()
        super().__init__(("127.0.0.1", 0), Taken)
        self.requests: list[tuple[str, dict[str, str], ExportMetricsServiceRequest]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def came(self) -> list[Any]:
        """Every metric of every request."""
        return [
            metric
            for _, _, request in self.requests
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]

    @property
    def metrics(self) -> dict[str, Any]:
        """Name -> metric, as it came last."""
        return {metric.name: metric for metric in self.came()}

    @property
    def resource(self) -> dict[str, str]:
        """Whose metrics they are."""
        (resource,) = self.requests[-1][2].resource_metrics
        return attributes(resource.resource)


class Taken(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.asked.set()
        self.server.answering.wait(SECONDS)
        if self.server.status == 200:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.requests.append((self.path, headers, ExportMetricsServiceRequest.FromString(body)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def attributes(told: Any) -> dict[str, str]:
    return {pair.key: pair.value.string_value for pair in told.attributes}
