"""Networks of the RNNPool paper."""

from rnnpool_tf.models.cifar10 import cifar10
from rnnpool_tf.models.densenet121 import densenet121
from rnnpool_tf.models.edgeml import load_edgeml_state_dict
from rnnpool_tf.models.efficientnet_b0 import efficientnet_b0
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
from rnnpool_tf.models.googlenet import googlenet
from rnnpool_tf.models.mobilenet_v1 import mobilenet_v1
from rnnpool_tf.models.mobilenet_v2 import mobilenet_v2
from rnnpool_tf.models.probe import operator_probe
from rnnpool_tf.models.resnet18 import resnet18
from rnnpool_tf.models.visual_wake_words import visual_wake_words
from rnnpool_tf.models.zoo import NETWORKS, build

__all__ = [
    "NETWORKS",
    "build",
    "cifar10",
    "densenet121",
    "detection_levels",
    "efficientnet_b0",
    "face_a",
    "face_b",
    "face_c",
    "face_m4",
    "face_quant",
    "face_qvga",
    "googlenet",
    "join_levels",
    "load_edgeml_state_dict",
    "mobilenet_v1",
    "mobilenet_v2",
    "operator_probe",
    "resnet18",
    "visual_wake_words",
]
