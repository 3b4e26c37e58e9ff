"""The store of tasks: what is kept, how it is merged, how it is asked."""

from flower.store.columns import BY_NAME, COLUMNS, FINAL_STATES, NAMES, TASK_STATES, Column
from flower.store.errors import AwayError, StoreError
from flower.store.facets import FACETS, Facet, Facets
from flower.store.locate import open_store
from flower.store.query import Count, Cursor, Page, Slice, TaskQuery
from flower.store.saver import Saver
from flower.store.store import Store
from flower.store.task import Task

__all__ = [
    "BY_NAME",
    "COLUMNS",
    "FINAL_STATES",
    "NAMES",
    "TASK_STATES",
    "FACETS",
    "AwayError",
    "Column",
    "Count",
    "Cursor",
    "Facet",
    "Facets",
    "Page",
    "Saver",
    "Slice",
    "Store",
    "StoreError",
    "Task",
    "TaskQuery",
    "open_store",
]
