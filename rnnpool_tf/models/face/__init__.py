"""The RNNPool face detectors: single-shot, with one square anchor per cell of every level."""

from rnnpool_tf.models.face.detector import detection_levels, join_levels
from rnnpool_tf.models.face.qvga import face_m4, face_qvga
from rnnpool_tf.models.face.vga import face_c, face_quant
from rnnpool_tf.models.face.vga_tables import face_a, face_b

__all__ = [
    "detection_levels",
    "face_a",
    "face_b",
    "face_c",
    "face_m4",
    "face_quant",
    "face_qvga",
    "join_levels",
]
