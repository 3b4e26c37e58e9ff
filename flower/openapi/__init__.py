"""The description of the API, made from the table of operations and the table of reading routes."""

from flower.openapi.document import Document, document

__all__ = ["Document", "document"]
