// Empty: in the Arduino IDE, including it adds the library to the build.
