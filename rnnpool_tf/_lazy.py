"""Names of a package that are imported on first use, so that `import rnnpool_tf` stays light."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping


def lazy_exports(package: str, exports: Mapping[str, str]) -> tuple[Callable, Callable]:
    """Returns `__getattr__` and `__dir__` for a package.

    Args:
        package: Its `__name__`.
        exports: Public name → submodule that defines it; a submodule exports itself.

    Example, in a package's `__init__.py`:

        __all__ = ["predict"]
        __getattr__, __dir__ = lazy_exports(__name__, {"predict": "engine"})
    """

    def get(name: str):
        if name not in exports:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(f"{package}.{exports[name]}")
        return module if name == exports[name] else getattr(module, name)

    return get, lambda: sorted(exports)
