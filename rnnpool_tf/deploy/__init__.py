"""Firmware projects from a converted model: `rnnpool export`, `export_arduino`.

Each target is one module (`arduino`) with its templates in `templates/<target>`; what every
firmware needs (the model as an array, the list of its operators, preprocessing, test pictures
with expected results) comes from `project` and `templates/common`.
"""

from __future__ import annotations

__all__ = ["Export", "export_arduino"]


def __getattr__(name: str):
    # On first use: `rnnpool --help` must not wait for the runtimes.
    if name in __all__:
        from rnnpool_tf.deploy import arduino

        return getattr(arduino, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
