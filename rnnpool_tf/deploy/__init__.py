"""Firmware projects from a converted model: `rnnpool export`, `export_arduino`.

Each target is one module (`arduino`) with its templates in `templates/<target>`; what every
firmware needs (the model as an array, the list of its operators, preprocessing, test pictures
with expected results) comes from `project` and `templates/common`.
"""

from __future__ import annotations

from rnnpool_tf._lazy import lazy_exports

# On first use: `rnnpool --help` must not wait for the runtimes.
_EXPORTS = {"Export": "arduino", "export_arduino": "arduino"}

__all__ = list(_EXPORTS)
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
