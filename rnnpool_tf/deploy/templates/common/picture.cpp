#include "picture.h"

namespace {

// The two neighbours of an output position and the weight of the second one, in 1/256.
struct Taps {
  int first;
  int second;
  int weight;
};

// Centre of output pixel `i` of `to` pixels, on a line of `from` pixels. Lines are shorter than
// 4096 pixels, so that the products fit into 32 bits.
Taps Locate(int i, int from, int to) {
  const int doubled = 2 * to;
  const int position = (2 * i + 1) * from - to;
  if (position <= 0) return {0, 0, 0};
  const int first = position / doubled;
  if (first >= from - 1) return {from - 1, from - 1, 0};
  return {first, first + 1, ((position % doubled) * 256 + to) / doubled};
}

void ReadPixel(const Picture& picture, int x, int y, uint8_t* value) {
  const int index = y * picture.width + x;
  if (picture.format == kGrey8) {
    value[0] = picture.pixels[index];
  } else if (picture.format == kRgb888) {
    const uint8_t* pixel = picture.pixels + 3 * index;
    value[0] = pixel[0];
    value[1] = pixel[1];
    value[2] = pixel[2];
  } else {
    const uint8_t* pixel = picture.pixels + 2 * index;
    const int red = pixel[0] >> 3;
    const int green = (pixel[0] & 7) << 3 | pixel[1] >> 5;
    const int blue = pixel[1] & 31;
    // The top bits are repeated below, so that the brightest value becomes 255.
    value[0] = static_cast<uint8_t>(red << 3 | red >> 2);
    value[1] = static_cast<uint8_t>(green << 2 | green >> 4);
    value[2] = static_cast<uint8_t>(blue << 3 | blue >> 2);
  }
}

int AtLeastOne(int size) { return size > 0 ? size : 1; }

}  // namespace

void ResizeLine(const Picture& picture, int width, int height, int channels, int y,
                uint8_t* line) {
  int crop_width = picture.width;
  int crop_height = picture.height;
  if (picture.width * height > picture.height * width) {
    crop_width = AtLeastOne(picture.height * width / height);
  } else {
    crop_height = AtLeastOne(picture.width * height / width);
  }
  const int left = (picture.width - crop_width) / 2;
  const int top = (picture.height - crop_height) / 2;

  const Taps row = Locate(y, crop_height, height);
  for (int x = 0; x < width; ++x) {
    const Taps column = Locate(x, crop_width, width);
    uint8_t corner[4][3];
    ReadPixel(picture, left + column.first, top + row.first, corner[0]);
    ReadPixel(picture, left + column.second, top + row.first, corner[1]);
    ReadPixel(picture, left + column.first, top + row.second, corner[2]);
    ReadPixel(picture, left + column.second, top + row.second, corner[3]);
    for (int c = 0; c < channels; ++c) {
      const int above = corner[0][c] * (256 - column.weight) + corner[1][c] * column.weight;
      const int below = corner[2][c] * (256 - column.weight) + corner[3][c] * column.weight;
      const int value = (above * (256 - row.weight) + below * row.weight + 32768) >> 16;
      *line++ = static_cast<uint8_t>(value);
    }
  }
}

uint32_t Checksum(const int8_t* bytes, size_t count) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < count; ++i) {
    hash = (hash ^ static_cast<uint8_t>(bytes[i])) * 16777619u;
  }
  return hash;
}
