"""From the broker's bytes to partial views of tasks and workers."""
