"""Networks of the RNNPool paper."""

from rnnpool_tf.models.cifar10 import cifar10
from rnnpool_tf.models.edgeml import load_edgeml_state_dict
from rnnpool_tf.models.face import (
    detection_levels,
    face_a,
    face_b,
    face_c,
    face_m4,
    face_quant,
    face_qvga,
    join_levels,
)
from rnnpool_tf.models.mobilenet_v2 import mobilenet_v2
from rnnpool_tf.models.probe import operator_probe
from rnnpool_tf.models.visual_wake_words import visual_wake_words

__all__ = [
    "cifar10",
    "detection_levels",
    "face_a",
    "face_b",
    "face_c",
    "face_m4",
    "face_quant",
    "face_qvga",
    "join_levels",
    "load_edgeml_state_dict",
    "mobilenet_v2",
    "operator_probe",
    "visual_wake_words",
]
