// Faces from a detector's int8 maps: offsets and scores of anchors become boxes, of which the best
// stay. In integers only, equal to rnnpool_tf/integer/detection.py on every input, and without
// TensorFlow Lite Micro.
//
//   static rnnpool::BoxDecoder decoder;  // levels and settings: detection_levels.h
//   static rnnpool::Candidate candidates[400];
//   static rnnpool::Detection detections[50];
//   const char* error = decoder.Open(kLevels, kLevelCount, kSettings);
//   ...
//   const int8_t* maps[] = {loc0, conf0, loc1, conf1, ...};
//   rnnpool::DetectionCounts counts;
//   error = decoder.Run(maps, candidates, detections, &counts);
//
// Per level there are two maps, loc [height][width][4] and conf [height][width][2] (background,
// face), and a square anchor per cell, centred at ((column + 0.5) * stride, (row + 0.5) * stride)
// pixels. Anchors are numbered over the levels, each row by row. Qn means: real value =
// integer * 2^-n; coordinates are Q4, sixteenths of a pixel; >> rounds towards minus infinity.
//
//   logit          int32 Q16   (q_face - q_background) * logit_step; below 2^31 in size
//   side           uint16 Q4   sizes[q + 128], 1 to 65,535
//   anchor centre  int32 Q4    (2 * column + 1) * stride * 8; at most 2^19
//   box centre     int64 Q20   (anchor << 16) + (q - loc_zero_point) * centre_step; below 2^37
//   corner         int32 Q4    x1 = (centre - (side << 15) + 2^15) >> 16, x2 = x1 + side
//
// Anchors with a logit above the threshold pass. The best of them are candidates, larger logits
// first, of equal ones the lower anchor first; what exceeds the capacity is dropped and counted.
// In that order a candidate becomes a detection unless
//   (intersection << 15) > iou_threshold_q15 * union
// with one before it, in int64 (areas are below 2^32), until there are as many as there may be.
// No detection is an ordinary result. Boxes are not clipped to the image. No side is below 1, so no
// area is 0. Maps may hold anything.

#ifndef RNNPOOL_BOX_DECODING_H_
#define RNNPOOL_BOX_DECODING_H_

#include <stddef.h>
#include <stdint.h>

namespace rnnpool {

const int32_t kMaxDetectionLevels = 8;
const int32_t kMaxDetectionExtent = 1 << 15;  // of a level, in pixels
const int32_t kMaxLogitStep = 1 << 23;
const int32_t kMaxCentreStep = (1 << 27) - 1;
const int32_t kMaxDetectionCapacity = 1 << 20;

// One level. `rnnpool export` and rnnpool_tf/integer/detection_setup.py compute the integers.
struct DetectionLevel {
  int32_t height;  // cells; height * stride and width * stride are 1 .. kMaxDetectionExtent
  int32_t width;
  int32_t stride;          // pixels between cells, at least 1
  int32_t logit_step;      // a step of conf as a Q16 logit, 1 .. kMaxLogitStep
  int32_t centre_step;     // a step of loc as a shift of the centre in Q20, 0 .. kMaxCentreStep
  int32_t loc_zero_point;  // -128 .. 127
  const uint16_t* sizes;   // [256] side in Q4 for q = -128 .. 127, at least 1
};

struct DetectionSettings {
  int32_t logit_threshold;    // Q16; larger logits pass
  int32_t iou_threshold_q15;  // 0 .. 2^15
  int32_t candidates;         // capacities, 1 .. kMaxDetectionCapacity
  int32_t detections;
};

// An anchor that passed.
struct Candidate {
  int32_t logit;
  int32_t anchor;
};

struct Detection {
  int32_t logit;  // Q16
  int32_t x1;     // Q4
  int32_t y1;
  int32_t x2;
  int32_t y2;
};

struct DetectionCounts {
  int32_t detections;
  int32_t dropped;  // anchors that passed beyond the capacity for candidates
};

// Bytes of the memory given to Run.
constexpr size_t DetectionBytes(int32_t candidates, int32_t detections) {
  return static_cast<size_t>(candidates) * sizeof(Candidate) +
         static_cast<size_t>(detections) * sizeof(Detection);
}

// The face probability of a logit, Q15: the sigmoid by the int8 operator's table, within 0.001.
int32_t ProbabilityQ15(int32_t logit);

class BoxDecoder {
 public:
  BoxDecoder();

  // Copies the levels; their tables must outlive the decoder. Returns nullptr, or a sentence saying
  // why this cannot be used; then, as before the first call, Run refuses.
  const char* Open(const DetectionLevel* levels, int32_t level_count,
                   const DetectionSettings& settings);

  // Of all levels; 0 when nothing is open.
  int32_t anchors() const { return anchors_; }

  // Decodes the maps of one image, [2 * level_count]: loc and conf of level 0, of level 1, and so
  // on. `candidates` [settings.candidates] is working memory whose content does not matter;
  // `detections` [settings.detections] gets the result, best first, and its first `detections`
  // entries are written. Returns nullptr, or a sentence; then nothing was written.
  const char* Run(const int8_t* const* maps, Candidate* candidates, Detection* detections,
                  DetectionCounts* counts) const;

 private:
  int32_t Collect(const int8_t* const* maps, Candidate* candidates, int32_t* dropped) const;
  Detection Decode(const int8_t* const* maps, const Candidate& candidate) const;

  int32_t level_count_;
  int32_t anchors_;
  DetectionSettings settings_;
  DetectionLevel levels_[kMaxDetectionLevels];
};

}  // namespace rnnpool

#endif  // RNNPOOL_BOX_DECODING_H_
