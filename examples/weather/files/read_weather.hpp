#pragma once

#include "days.hpp"

namespace weather {

/// What files hold.
struct WeatherFiles {
  Days days;
  std::string station;                // empty for plain files, which do not say
  std::vector<std::string> warnings;  // one sentence each, for the user to read
};

/// Reads one file or several of the same station and joins them by date; the order of the files
/// does not matter. docs/weather.md says what is taken as missing, as a warning and as an error.
WeatherFiles read_weather(std::span<const std::filesystem::path> files);

}  // namespace weather
