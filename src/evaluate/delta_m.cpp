#include "mtl/evaluate/delta_m.hpp"

#include <utility>

namespace mtl::evaluate {

double delta_m(std::span<const TaskGain> gains) {
  std::vector<std::pair<std::string, std::vector<double>>> by_task;
  for (const TaskGain& gain : gains) {
    auto place = by_task.begin();
    while (place != by_task.end() && place->first != gain.task) ++place;
    if (place == by_task.end()) place = by_task.insert(place, {gain.task, {}});
    place->second.push_back(relative_gain(gain));
  }
  if (by_task.empty()) throw Error("statistics: delta_m needs at least one task");
  double sum = 0;
  for (const auto& [task, of_metrics] : by_task) {
    double of_task = 0;
    for (const double gain : of_metrics) of_task += gain;
    sum += of_task / static_cast<double>(of_metrics.size());
  }
  return sum / static_cast<double>(by_task.size());
}

}  // namespace mtl::evaluate
