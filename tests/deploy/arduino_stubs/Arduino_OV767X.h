// The interface of Arduino_OV767X 0.0.2 that the exported sketches use.
#ifndef ARDUINO_OV767X_STUB_H_
#define ARDUINO_OV767X_STUB_H_

enum { YUV422 = 0, RGB444 = 1, RGB565 = 2, GRAYSCALE = 4 };
enum { OV7670 = 0, OV7675 = 1 };
enum { VGA = 0, CIF = 1, QVGA = 2, QCIF = 3, QQVGA = 4 };

class OV767X {
 public:
  int begin(int resolution, int format, int fps, int camera_name = OV7670);
  int bytesPerPixel() const;
  void readFrame(void* buffer);
};

extern OV767X Camera;

#endif  // ARDUINO_OV767X_STUB_H_
