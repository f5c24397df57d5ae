"""Pictures fed line by line against whole pictures, and what becomes of lines out of place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnpool_tf.conversion.front_image import FrontImage, read_front_image, write_front_image
from rnnpool_tf.line_stream import PIXEL_FORMATS, LineError, LineStream
from tests.kernels.front_cases import Case, random_case, visual_wake_words_stem

pytestmark = pytest.mark.keras_free

SEEDS = range(120)
CHANNELS = {"grey8": 1, "rgb888": 3, "rgb565": 3, "rgb565_little_endian": 3}


@pytest.mark.parametrize("part", range(4))
def test_streaming_equals_the_unfused_operators(part):
    blocks = 0
    for seed in SEEDS[part::4]:
        case = random_case(seed)
        stream = LineStream(case.image())
        assert stream.picture_shape == case.shape
        for _ in range(2):  # nothing may be left of the picture before
            x = case.inputs()
            np.testing.assert_array_equal(stream.run(x[0]), case.map(x)[0], err_msg=case.name)
        blocks += len(case.blocks)
    assert blocks >= 20


def camera_picture(case: Case, pixel_format: str) -> tuple[np.ndarray, np.ndarray]:
    """A random picture: lines of bytes as a camera sends them, and its bytes per channel."""
    height, width, _ = case.shape
    if not pixel_format.startswith("rgb565"):
        pixels = case.rng.integers(0, 256, case.shape).astype(np.uint8)
        return pixels.reshape(height, -1), pixels
    words = case.rng.integers(0, 2**16, (height, width)).astype(np.uint16)
    five = [(words >> 11).astype(int), (words & 31).astype(int)]
    red, blue = (value << 3 | value >> 2 for value in five)
    six = (words >> 5 & 63).astype(int)
    pixels = np.stack([red, six << 2 | six >> 4, blue], axis=-1).astype(np.uint8)
    order = "<u2" if pixel_format == "rgb565_little_endian" else ">u2"
    return words.astype(order).view(np.uint8), pixels


@pytest.mark.parametrize("table", [False, True], ids=["offset128", "table"])
@pytest.mark.parametrize("pixel_format", CHANNELS)
def test_pixel_formats(pixel_format, table):
    for seed in range(5):
        case = random_case(seed, CHANNELS[pixel_format], table)
        stream = LineStream(case.image())
        lines, pixels = camera_picture(case, pixel_format)
        assert stream.line_bytes(pixel_format) == lines.shape[1]
        x = (pixels.astype(int) - 128).astype(np.int8)
        if table:
            x = np.stack([row[pixels[..., c]] for c, row in enumerate(case.table)], axis=-1)
        expected = stream.run(x)
        output = stream.run(lines, pixel_format)
        np.testing.assert_array_equal(output, expected, err_msg=case.name)


def test_brightest_and_darkest_rgb565():
    """Black is 0 and white 255 in every channel, so a picture of them equals one in RGB888."""
    case = random_case(2, 3, False)
    stream = LineStream(case.image())
    height, width, _ = case.shape
    for value in (0, 255):
        bright = stream.run(np.full((height, 3 * width), value, np.uint8), "rgb888")
        packed = stream.run(np.full((height, 2 * width), value, np.uint8), "rgb565")
        np.testing.assert_array_equal(packed, bright)


@pytest.fixture
def stream() -> LineStream:
    return LineStream(visual_wake_words_stem(48).image())


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (48, 48, 3)).astype(np.uint8)


def refused(stream: LineStream, *arguments) -> str:
    before = stream.next_line
    with pytest.raises(LineError) as error:
        stream.feed(*arguments)
    assert stream.next_line == before
    return error.value.status


def test_refused_lines_change_nothing(stream, picture):
    expected = stream.run(picture, "rgb888")
    stream.begin()
    for y, line in enumerate(picture):
        for other in (y - 1, y + 1, y + 48, -1, 2**31 - 1):
            assert refused(stream, other, line, "rgb888") == "out_of_order"
        for wrong in (line[:-1], line.ravel()[:-1], np.zeros(0, np.uint8), np.tile(line, (2, 1))):
            assert refused(stream, y, wrong, "rgb888") == "wrong_length"
        assert refused(stream, y, line[:, 0], "grey8") == "wrong_format"
        assert not stream.finished
        stream.feed(y, line, "rgb888")
    assert stream.finished
    assert refused(stream, 48, picture[0], "rgb888") == "surplus"
    assert refused(stream, 0, picture[0], "rgb888") == "surplus"
    assert stream.finished
    np.testing.assert_array_equal(stream.map, expected)


def test_lines_before_a_picture_is_begun(stream, picture):
    assert refused(stream, 0, picture[0], "rgb888") == "not_begun"
    assert not stream.finished


def test_a_picture_may_be_given_up(stream, picture):
    expected = stream.run(picture, "rgb888")
    stream.begin()
    for y in range(20):
        stream.feed(y, picture[-y], "rgb888")
    np.testing.assert_array_equal(stream.run(picture, "rgb888"), expected)


def test_lines_may_be_bytes(stream, picture):
    expected = stream.run(picture, "rgb888")
    stream.begin()
    for y, line in enumerate(picture):
        stream.feed(y, line.tobytes(), "rgb888")
    np.testing.assert_array_equal(stream.map, expected)


def test_a_picture_of_too_few_lines(stream, picture):
    with pytest.raises(ValueError, match="must have 48 lines"):
        stream.run(picture[:-1], "rgb888")


def test_unknown_format(stream, picture):
    with pytest.raises(ValueError, match="pixel_format"):
        stream.feed(0, picture[0], "yuv")
    assert len(set(PIXEL_FORMATS)) == len(PIXEL_FORMATS)


@pytest.mark.parametrize(
    ("size", "budget"),
    # RNNPool's rows in flight, its weights, three lines of the picture, a row of the stem.
    [(224, 13_700), (160, 10_400), (96, 6_500)],
    ids=str,
)
def test_memory_of_the_visual_wake_words_stem(size, budget):
    stream = LineStream(visual_wake_words_stem(size).image())
    assert stream.map_shape == (size // 8, size // 8, 32)
    assert stream.workspace_bytes <= budget


# ---- images ----


def test_images_are_read_as_written():
    for seed in SEEDS:
        image = random_case(seed).image()
        assert write_front_image(read_front_image(image)) == image, f"seed={seed}"


def test_a_table_that_subtracts_128_is_left_out():
    case = random_case(3, 3, True)
    table = np.tile(np.arange(-128, 128).astype(np.int8), (3, 1))
    plain = write_front_image(FrontImage(case.stem()))
    assert write_front_image(FrontImage(case.stem(), (), table)) == plain


def test_damaged_images_are_refused_or_read():
    """By the reader in Python; what the core makes of them is in test_core_builds.py."""
    image = random_case(4).image()
    rng = np.random.default_rng(21)
    refusals = 0
    for size in range(0, len(image), 7):
        with pytest.raises(ValueError, match=r"front image|bytes"):
            read_front_image(image[:size])
    for _ in range(2000):
        damaged = bytearray(image)
        damaged[int(rng.integers(len(image)))] = int(rng.integers(256))
        try:
            read_front_image(bytes(damaged))
        except ValueError:
            refusals += 1
    assert 100 < refusals < 1900


GATES_POSITION = 60  # of an image without convolutions: behind 12 bytes of head and 12 numbers


def linear_image() -> bytes:
    image = random_case(0).image()
    assert image[4] == 2 and image[GATES_POSITION] == 1
    return image


def with_gates(number: int) -> bytes:
    image = bytearray(linear_image())
    image[GATES_POSITION] = number
    return bytes(image)


def test_version_2_is_written_for_piecewise_linear_gates_only():
    assert read_front_image(linear_image()).stem.cell2.gates == "piecewise_linear"
    assert visual_wake_words_stem(48).image()[4] == 1


def test_version_2_may_state_smooth_gates():
    case = random_case(0)
    case = replace(case, cells=tuple(replace(cell, gates="smooth") for cell in case.cells))
    assert case.image()[4] == 1
    assert read_front_image(with_gates(0)).stem.cell1.gates == "smooth"
    picture = np.random.default_rng(5).integers(-128, 128, case.shape).astype(np.int8)
    outputs = [LineStream(image).run(picture) for image in (case.image(), with_gates(0))]
    np.testing.assert_array_equal(*outputs)
    assert (outputs[0] != LineStream(linear_image()).run(picture)).any()


def test_unknown_gates_of_an_image_are_refused():
    with pytest.raises(ValueError, match="no kind of gates 2"):
        read_front_image(with_gates(2))
    with pytest.raises(ValueError, match="out of range"):
        LineStream(with_gates(2))


@pytest.mark.parametrize(
    ("position", "value", "sentence"),
    [
        (0, b"XXXX", "no front image"),
        (4, b"\x07\0\0\0", "version"),
        (8, b"\x07\0\0\0", "size"),
        (12, b"\0\0\0\0", "out of range"),
        (12, b"\xff\xff\xff\x7f", "out of range"),
        (28, b"\x02\0\0\0", "lies outside"),
        (28, b"\xfc\xff\xff\x7f", "lies outside"),
        (32, b"\x05\0\0\0", "out of range"),
        (36, b"\x03\0\0\0", "out of range"),
    ],
    ids=[
        "magic",
        "version",
        "size",
        "no_rows",
        "too_many_rows",
        "odd_position",
        "far_position",
        "five_convolutions",
        "three_blocks",
    ],
)
def test_what_is_wrong_with_an_image(position, value, sentence):
    image = bytearray(visual_wake_words_stem(48).image())
    image[position : position + 4] = value
    with pytest.raises(ValueError, match=sentence):
        LineStream(bytes(image))


@pytest.mark.parametrize("size", [0, 3, 4, 12, 100])
def test_truncated_images_are_refused(size):
    with pytest.raises(ValueError, match=r"front image|truncated"):
        LineStream(visual_wake_words_stem(48).image()[:size])
