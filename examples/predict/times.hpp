#pragma once

#include <chrono>
#include <cstdint>

/// What a prediction took, in seconds.
struct PredictTimes {
  int64_t rows = 0;
  int64_t unusable = 0;  // pictures among them that could not be read
  double seconds = 0;    // from the first row read to the last one written
  double network = 0;    // of these within Predictor::predict
};

/// Counts from when it was made.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};
