#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "encoding.hpp"
#include "mtl/sharing/hard_sharing.hpp"

// A trained network in one safetensors file: its weights by name, what its recipe learnt from the
// training part, and as metadata the recipe and the names of the classes.

namespace weather {

struct TrainedModel {
  Encoding encoding;
  mtl::HardSharing model;
};

void save_model(const std::filesystem::path& path, const Encoding& encoding,
                const mtl::HardSharing& model);
/// Throws mtl::Error for a file that save_model did not write.
TrainedModel load_model(const std::filesystem::path& path);

struct Forecast {
  Date date;
  double temp = 0, rh = 0;  // degrees Celsius, per cent
  std::vector<std::pair<std::string, double>>
      weather;  // probabilities of all classes, the likeliest first
};

/// The day after the last one, from the last 14 days. Throws mtl::Error where there are fewer or
/// one is absent.
Forecast forecast(TrainedModel& trained, const Days& days);

}  // namespace weather
