"""MAdds as executed, against a count of what a plain rendering of the shared sweeps multiplies."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rnnpool_tf.analysis.counts import pool_counts
from rnnpool_tf.geometry import PADDINGS, Geometry
from rnnpool_tf.integer import rnnpool_float

pytestmark = pytest.mark.keras_free

SEEDS = range(6300, 6330)
