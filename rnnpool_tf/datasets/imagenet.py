"""ImageNet-style folders: a folder per class below train/ and val/."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rnnpool_tf.datasets.examples import Entry, ImageDataset, build_dataset, file_entry
from rnnpool_tf.datasets.folder import SPLIT_FOLDERS, SUFFIXES, child_folder

# Crops of the paper's ImageNet recipe (Saha et al., 2020, appendix G, and EdgeML).
CROP_AREA = (0.08, 1.0)

# ImageNet-10 (Saha et al., 2020, Table 6): the synset that stands for each class of CIFAR-10. The
# deer is not among ImageNet-1K's classes; it comes from the full ImageNet.
IMAGENET_10 = {
    "n02690373": "airplane",
    "n04285008": "automobile",
    "n01560419": "bird",
    "n02124075": "cat",
    "n02430045": "deer",
    "n02099601": "dog",
    "n01641577": "frog",
    "n03538406": "horse",
    "n03673027": "ship",
    "n04467665": "truck",
}


def load_imagenet(
    root: str | os.PathLike,
    image_size: int = 224,
    channels: int = 3,
    cache: str | os.PathLike | None = None,
    synsets: Sequence[str] | None = None,
) -> ImageDataset:
    """Pictures below `root/train/CLASS` and `root/val/CLASS`.

    The decoded training set takes 1.5² · size² · channels bytes per picture on disk: ImageNet-10 at
    224 pixels 4.4 GB, all of ImageNet-1K 430 GB.

    Args:
        root: Folder of both parts; "validation" and other usual names of `val` do as well.
        image_size: Side of the network's input.
        channels: 3, or 1 for grey.
        cache: Folder for decoded pictures.
        synsets: Names of the classes' folders to take, label by label, such as `IMAGENET_10`; None
            takes all of train/, sorted.

    Raises:
        ValueError: A part, a class or its pictures are missing.

    Example:

    >>> load_imagenet("imagenet", synsets=list(IMAGENET_10)).classes[4]  # doctest: +SKIP
    'deer'
    """
    root = Path(root)
    if not root.is_dir():
        raise ValueError(f"`dataset` must be an existing folder. Received: {root}")
    parts = {name: child_folder(root, aliases) for name, aliases in SPLIT_FOLDERS.items()}
    missing = [name for name, folder in parts.items() if folder is None]
    if missing:
        raise ValueError(
            f"`dataset` must have the subfolders train and val. Received: {root} without "
            f"{' and '.join(missing)}"
        )
    if synsets is None:
        synsets = sorted(entry.name for entry in parts["train"].iterdir() if entry.is_dir())
    entries = {name: _labelled(folder, root, synsets) for name, folder in parts.items()}
    return build_dataset(
        root.name,
        entries["train"],
        entries["val"],
        image_size,
        channels,
        cache,
        crop_area=CROP_AREA,
        classes=tuple(IMAGENET_10.get(synset, synset) for synset in synsets),
    )


def _labelled(folder: Path, root: Path, synsets: Sequence[str]) -> list[Entry]:
    entries = []
    for label, synset in enumerate(synsets):
        files = sorted(
            file for file in (folder / synset).glob("*") if file.suffix.lower() in SUFFIXES
        )
        if not files:
            raise ValueError(
                f"each class must have pictures ({', '.join(SUFFIXES)}). Received: none in "
                f"{folder / synset}"
            )
        entries += [file_entry(file, file.relative_to(root).as_posix(), label) for file in files]
    return entries
