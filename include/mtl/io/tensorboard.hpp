#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/tensor.hpp"

namespace mtl::io {

/// CRC-32C (Castagnoli) of `bytes`, rotated and offset as record files ask: a checksum of data that
/// holds checksums stays useful.
uint32_t masked_crc32c(std::string_view bytes);

/// One record of an event file: length, checksum of the length, payload, checksum of the payload.
std::string event_record(std::string_view payload);

/// The payload that opens an event file.
std::string version_event(double wall_time);

/// The payload of one scalar: `tag` is its curve ("validation/weather/accuracy"), `step` its place
/// on the axis, `wall_time` seconds since 1970. TensorBoard keeps scalars in single precision.
std::string scalar_event(std::string_view tag, double value, int64_t step, double wall_time);

/// How values lie: `counts[i]` of them up to `limits[i]` and above the limit before.
struct Histogram {
  double least = 0, most = 0, sum = 0, sum_of_squares = 0;
  std::vector<double> limits, counts;
};

/// 30 buckets of one width from the least to the greatest value, as TensorBoard's own writer has
/// them; one bucket where all are equal. NaN and infinite values are left out; where no value
/// remains, there is no bucket.
Histogram histogram_of(const Tensor& values);

/// The payload of one histogram.
std::string histogram_event(std::string_view tag, const Histogram& histogram, int64_t step,
                            double wall_time);

/// The payload of one picture: the bytes of a PNG file. Error: they are none.
std::string picture_event(std::string_view tag, std::string_view png, int64_t step,
                          double wall_time);

/// An event file that TensorBoard shows while it grows.
class TensorBoardWriter {
 public:
  /// Creates `directory` where needed and a new event file in it. TensorBoard follows the newest
  /// file of a directory: take one directory a writer.
  explicit TensorBoardWriter(const std::filesystem::path& directory);

  /// Adds a point to a curve, stamped with the current time.
  void add_scalar(std::string_view tag, double value, int64_t step);

  /// Adds how the values of a tensor lie; nothing where none is finite.
  void add_histogram(std::string_view tag, const Tensor& values, int64_t step);
  /// Adds a picture, the bytes of a PNG file. Error: they are none.
  void add_picture(std::string_view tag, std::string_view png, int64_t step);

  /// Hands everything added so far to the file; a full disk is an `mtl::Error`.
  void flush();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::ofstream stream_;
};

}  // namespace mtl::io
