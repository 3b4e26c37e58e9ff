"""Reads Prometheus' protobuf with Google's library, from the part of its schema that Flower writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal.decoder import _DecodeVarint32  # type: ignore[attr-defined]

PACKAGE = "io.prometheus.client"
FIELDS = {
    "LabelPair": ["1 name string", "2 value string"],
    "Stamp": ["1 seconds int64", "2 nanos int32"],
    "Counter": ["1 value double", "3 created_timestamp Stamp"],
    "Gauge": ["1 value double"],
    "Bucket": ["1 cumulative_count uint64", "2 upper_bound double"],
    "BucketSpan": ["1 offset sint32", "2 length uint32"],
    "Histogram": [
        "1 sample_count uint64",
        "2 sample_sum double",
        "3 bucket Bucket*",
        "5 schema sint32",
        "6 zero_threshold double",
        "7 zero_count uint64",
        "12 positive_span BucketSpan*",
        "13 positive_delta sint64*",
        "15 created_timestamp Stamp",
    ],
    "Metric": ["1 label LabelPair*", "2 gauge Gauge", "3 counter Counter", "7 histogram Histogram"],
    "MetricFamily": ["1 name string", "2 help string", "3 type int32", "4 metric Metric*"],
}
"""Message -> number, name and type of each field; * are several. From prometheus/client_model, metrics.proto."""


def _family() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package=PACKAGE, syntax="proto3")
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for text in fields:
            number, field_name, kind = text.split()
            field = message.field.add(name=field_name, number=int(number), label=3 if kind.endswith("*") else 1)
            kind = kind.rstrip("*")
            if kind in FIELDS:
                field.type, field.type_name = field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
            else:
                field.type = getattr(field, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)  # type: ignore[no-untyped-call]
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.MetricFamily"))


MetricFamily = _family()


def families(body: bytes) -> dict[str, Any]:
    """Name -> family, of an answer in which each stands behind its length."""
    return {family.name: family for family in _delimited(body)}


def _delimited(body: bytes) -> Iterator[Any]:
    at = 0
    while at < len(body):
        length, at = _DecodeVarint32(body, at)
        yield MetricFamily.FromString(body[at : at + length])
        at += length


def labels(metric: Any) -> dict[str, str]:
    """The labels of one metric of a family."""
    return {pair.name: pair.value for pair in metric.label}
