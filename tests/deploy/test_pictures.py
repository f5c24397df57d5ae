"""The device's preprocessing: NumPy specification and C++ agree to the byte."""

from __future__ import annotations

import ctypes
import subprocess

import numpy as np
import pytest

from rnnpool_tf.datasets.preprocess import NORMALIZATIONS
from rnnpool_tf.deploy import pictures
from rnnpool_tf.deploy.rendering import TEMPLATES

pytestmark = pytest.mark.keras_free

_HARNESS = """
#include "preprocess.h"
extern "C" void run(const uint8_t* pixels, int width, int height, int format, int out_width,
                    int out_height, int channels, const int8_t* table, int8_t* out) {
  const Picture picture = {pixels, width, height, static_cast<PixelFormat>(format)};
  const InputSpec spec = {out_width, out_height, channels,
                          reinterpret_cast<const int8_t(*)[256]>(table)};
  Preprocess(picture, spec, out);
}
extern "C" uint32_t hash(const int8_t* bytes, size_t count) { return Checksum(bytes, count); }
"""
_FORMATS = ["grey8", "rgb888", "rgb565"]  # the order of the C++ enumeration
# picture height x width -> input height x width
_SIZES = [
    (120, 160, 96, 96),
    (30, 40, 24, 24),
    (24, 24, 24, 24),
    (33, 20, 64, 64),
    (120, 160, 224, 224),
    (7, 50, 9, 16),
    (50, 7, 16, 9),
    (1, 1, 5, 3),
    (90, 91, 13, 17),
]


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    folder = tmp_path_factory.mktemp("preprocess")
    (folder / "harness.cpp").write_text(_HARNESS)
    common, resident = TEMPLATES / "common", TEMPLATES / "resident"
    flags = ["-std=c++11", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC"]
    flags += ["-fsanitize=undefined", "-fno-sanitize-recover", f"-I{common}", f"-I{resident}"]
    sources = [folder / "harness.cpp", resident / "preprocess.cpp", common / "picture.cpp"]
    subprocess.run(["g++", *flags, *sources, "-o", folder / "preprocess.so"], check=True)
    return ctypes.CDLL(str(folder / "preprocess.so"))


def _random(seed, height, width, pixel_format):
    shape = (height, width, pictures.PIXEL_BYTES[pixel_format])
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return pictures.Picture("random", pixels, pixel_format)


def _table(channels, normalization="imagenet"):
    return NORMALIZATIONS[normalization].lookup_table(channels, 0.019, -7)


@pytest.mark.parametrize("pixel_format", _FORMATS)
@pytest.mark.parametrize("sizes", _SIZES, ids=lambda s: "{}x{}_to_{}x{}".format(*s))
def test_cpp_equals_numpy_to_the_byte(native, sizes, pixel_format):
    seed = 1000 * sizes[0] + sizes[1]
    picture = _random(seed, *sizes[:2], pixel_format)
    channels = picture.channels().shape[-1]
    table = np.ascontiguousarray(_table(channels))
    expected = pictures.preprocess(picture, *sizes[2:], table)
    result = np.zeros_like(expected)
    native.run(
        picture.pixels.ctypes.data_as(ctypes.c_void_p), sizes[1], sizes[0],
        _FORMATS.index(pixel_format), sizes[3], sizes[2], channels,
        table.ctypes.data_as(ctypes.c_void_p), result.ctypes.data_as(ctypes.c_void_p),
    )  # fmt: skip
    np.testing.assert_array_equal(result, expected, err_msg=f"seed {seed}")


def test_checksum_of_cpp_equals_numpy(native):
    native.hash.restype = ctypes.c_uint32
    values = np.random.default_rng(5).integers(-128, 128, 999).astype(np.int8)
    pointer = values.ctypes.data_as(ctypes.c_void_p)
    assert native.hash(pointer, ctypes.c_size_t(values.size)) == pictures.checksum(values)


@pytest.mark.parametrize("normalization", sorted(NORMALIZATIONS))
def test_a_picture_of_the_models_size_is_only_quantised(normalization):
    picture = _random(1, 32, 32, "rgb888")
    scale, zero_point = 1 / 128, 0
    norm = NORMALIZATIONS[normalization]
    result = pictures.preprocess(picture, 32, 32, norm.lookup_table(3, scale, zero_point))
    np.testing.assert_array_equal(result, norm.quantize(picture.pixels, scale, zero_point))


def test_symmetric_table_is_pixel_minus_128():
    table = NORMALIZATIONS["symmetric"].lookup_table(1, 1 / 128, 0)
    np.testing.assert_array_equal(table[0], np.arange(256) - 128)


@pytest.mark.parametrize("sizes", [(120, 160, 96), (60, 60, 96)], ids=["reduce", "enlarge"])
def test_resize_is_bilinear_with_aligned_pixel_centres(sizes):
    height, width, side = sizes
    ramp = np.arange(256) - 128
    picture = _random(3, height, width, "grey8")
    result = pictures.preprocess(picture, side, side, ramp.astype(np.int8)[None])[..., 0]

    crop = min(height, width)
    top, left = (height - crop) // 2, (width - crop) // 2
    source = picture.pixels[top : top + crop, left : left + crop, 0].astype(float)
    position = np.clip((np.arange(side) + 0.5) * crop / side - 0.5, 0, crop - 1)
    rows = np.stack([np.interp(position, np.arange(crop), line) for line in source])
    exact = np.stack([np.interp(position, np.arange(crop), line) for line in rows.T]).T - 128
    # Weights are rounded to 1/256 (at most 255 * 1/512 of a level per direction), then the result
    # to whole levels.
    assert np.abs(result - exact).max() <= 0.5 + 2 * 255 / 512


def test_rgb565_reaches_both_ends():
    pixels = np.array([[[0xFF, 0xFF], [0, 0], [0xF8, 0x00], [0x07, 0xE0], [0x00, 0x1F]]], np.uint8)
    expected = [[255] * 3, [0] * 3, [255, 0, 0], [0, 255, 0], [0, 0, 255]]
    assert pictures.Picture("", pixels, "rgb565").channels()[0].tolist() == expected


@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "rgb"])
def test_load_crops_larger_files_as_validation_does(tmp_path, channels):
    from PIL import Image

    from rnnpool_tf.datasets.preprocess import evaluation_crop

    rng = np.random.default_rng(11)
    image = Image.fromarray(rng.integers(0, 256, (50, 70, 3), dtype=np.uint8))
    image.save(tmp_path / "large.png")
    picture = pictures.load(tmp_path / "large.png", 0, (24, 24, channels))
    expected = evaluation_crop(image.convert("L" if channels == 1 else "RGB"), 24)
    np.testing.assert_array_equal(picture.pixels, np.asarray(expected).reshape(24, 24, channels))
    assert picture.name == "large.png"


def _save(path, height, width):
    from PIL import Image

    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(path)
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: _save(d / "a.png", 30, 20), r"at least as large .* 24 x 24 .* of 20 x 30"),
        (lambda d: np.zeros((24, 25, 3), np.uint8), r"\(24, 24, 3\).*shape=\(24, 25, 3\)"),
        (lambda d: np.zeros((24, 24, 3), np.float32), r"dtype=float32"),
        (lambda d: d / "none.png", "does not exist.*none.png"),
        (lambda d: d, "must be an image"),
        (lambda d: (d / "t.txt").write_text("no picture") and d / "t.txt", "must be an image"),
    ],
    ids=["small", "array_shape", "array_type", "missing", "folder", "text"],
)
def test_load_refuses(tmp_path, make, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message) as error:
        pictures.load(make(tmp_path), 3, (24, 24, 3))
    assert "images[3]" in str(error.value)


def test_load_refuses_other_sizes_when_the_input_is_not_square(tmp_path):
    path = _save(tmp_path / "b.png", 40, 40)
    with pytest.raises(ValueError, match=r"exactly the size .* 24 x 32 .* not square"):
        pictures.load(path, 0, (32, 24, 3))
