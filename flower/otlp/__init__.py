"""The metrics for a collector of OpenTelemetry, the same that `/metrics` tells.

`export` is the thread that sends them, `sdk` the one place that knows OpenTelemetry's packages (extra `otel`).
"""

from flower.otlp.export import Export, ExportError, Sender, open_sender

__all__ = ["Export", "ExportError", "Sender", "open_sender"]
