"""Fixtures and the two Keras modes shared by all tests.

The suite runs twice: under Keras 3 and, with TF_USE_LEGACY_KERAS=1, under tf_keras. Markers say
where a test belongs; unmarked tests run in both:

* `legacy_keras`: tf_keras only (quantisation-aware training, pruning);
* `keras3`: Keras 3 only;
* `keras_free`: does not depend on Keras, so it runs in the Keras 3 pass only.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

LEGACY = os.environ.get("TF_USE_LEGACY_KERAS") == "1"


def pytest_report_header(config):
    return f"Keras mode: {'tf_keras (legacy)' if LEGACY else 'Keras 3'}"


def pytest_collection_modifyitems(config, items):
    excluded = {"keras3", "keras_free"} if LEGACY else {"legacy_keras"}
    kept = [item for item in items if not excluded & {m.name for m in item.iter_markers()}]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of golden arrays and real images that may lie beside the project."""
    for parent in Path(__file__).resolve().parents:
        if (parent / "shared" / "golden").is_dir():
            return parent / "shared"
    pytest.skip("needs the golden data and images in ../shared, which are absent")


@pytest.fixture(scope="session")
def golden(shared_dir):
    """Loads a golden file: `golden("name.npz")` gives its arrays by name."""

    def load(name: str) -> dict[str, np.ndarray]:
        with np.load(shared_dir / "golden" / name) as arrays:
            return dict(arrays)

    return load
