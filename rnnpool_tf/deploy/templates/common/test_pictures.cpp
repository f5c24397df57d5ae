#include "test_pictures.h"

namespace {

${picture_arrays}
}  // namespace

const TestPicture kTestPictures[kTestPictureCount] = {
${picture_entries}
};
