"""Which Keras wrote a model file. Imports neither Keras nor TensorFlow.

The command line must know before TensorFlow is imported, because that is when `tf.keras` becomes
Keras 3 or `tf_keras`.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import h5py

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"


def keras_of_file(path: Path) -> int | None:
    """Major version of the Keras that wrote a .keras or .h5 file; None when the file is silent.

    Raises:
        ValueError: Neither of the two formats, or damaged.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if "metadata.json" not in archive.namelist():
                raise ValueError(
                    "a .keras file must contain metadata.json. "
                    f"Received: '{path}' with {archive.namelist()[:3]}"
                )
            version = json.loads(archive.read("metadata.json")).get("keras_version")
    elif _starts_with(path, _HDF5_MAGIC):
        try:
            with h5py.File(path) as archive:
                version = archive.attrs.get("keras_version")
        except OSError as error:
            raise ValueError(f"the .h5 file is damaged. Received: '{path}' ({error})") from error
    else:
        raise ValueError(
            "`model` must be a SavedModel folder, a .keras file or a .h5 file. "
            f"Received: '{path}', which is none of them or damaged"
        )
    if isinstance(version, bytes):
        version = version.decode()
    return int(version.split(".")[0]) if version else None


def _starts_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic
