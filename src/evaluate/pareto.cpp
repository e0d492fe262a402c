#include "mtl/evaluate/pareto.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mtl::evaluate {

namespace {

size_t require_objectives(std::span<const Objectives> points) {
  const size_t count = points.empty() ? 0 : points.front().size();
  for (size_t i = 0; i < points.size(); ++i) {
    if (points[i].empty() || points[i].size() != count)
      throw Error("Pareto front: point {} has {} objectives, expected {}", i, points[i].size(),
                  std::max<size_t>(count, 1));
    for (const double value : points[i])
      if (std::isnan(value)) throw Error("Pareto front: an objective of point {} is NaN", i);
  }
  return count;
}

bool dominates(const Objectives& a, const Objectives& b) {
  bool better = false;
  for (size_t k = 0; k < a.size(); ++k) {
    if (a[k] > b[k]) return false;
    better = better || a[k] < b[k];
  }
  return better;
}

/// The volume between mutually non-dominated points and the reference, over the first `count`
/// objectives: each point adds what those after it do not cover (WFG, While et al., 2012).
double volume_of(std::vector<Objectives> points, const Objectives& reference, size_t count) {
  if (points.empty()) return 0;
  if (count == 1) {
    double lowest = reference[0];
    for (const auto& point : points) lowest = std::min(lowest, point[0]);
    return reference[0] - lowest;
  }
  // Those with the largest last objective first: what they cover beyond the others is flat.
  std::sort(points.begin(), points.end(),
            [&](const Objectives& a, const Objectives& b) { return a[count - 1] > b[count - 1]; });
  double volume = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    double alone = 1;
    for (size_t k = 0; k < count; ++k) alone *= reference[k] - points[i][k];
    // The part of this box that later points cover, as points moved into it.
    std::vector<Objectives> covered;
    for (size_t j = i + 1; j < points.size(); ++j) {
      Objectives moved(count);
      for (size_t k = 0; k < count; ++k) moved[k] = std::max(points[i][k], points[j][k]);
      covered.push_back(std::move(moved));
    }
    std::vector<Objectives> front;
    for (size_t a = 0; a < covered.size(); ++a) {
      bool needed = true;
      for (size_t b = 0; b < covered.size() && needed; ++b)
        needed = !(dominates(covered[b], covered[a]) || (b < a && covered[b] == covered[a]));
      if (needed) front.push_back(covered[a]);
    }
    // All share the last objective of this point, so one objective less remains.
    const double depth = reference[count - 1] - points[i][count - 1];
    volume += alone - depth * volume_of(std::move(front), reference, count - 1);
  }
  return volume;
}

}  // namespace

std::vector<size_t> non_dominated(std::span<const Objectives> points) {
  require_objectives(points);
  std::vector<size_t> front;
  for (size_t i = 0; i < points.size(); ++i) {
    const bool best = std::none_of(points.begin(), points.end(), [&](const Objectives& other) {
      return dominates(other, points[i]);
    });
    if (best) front.push_back(i);
  }
  return front;
}

double hypervolume(std::span<const Objectives> points, const Objectives& reference) {
  require_objectives(points);
  for (const double value : reference)
    if (!std::isfinite(value))
      throw Error("Pareto front: the reference has the value {}, expected finite ones", value);
  std::vector<Objectives> inside;
  for (const size_t place : non_dominated(points)) {
    const Objectives& point = points[place];
    if (point.size() != reference.size())
      throw Error("Pareto front: points of {} objectives, a reference of {}", point.size(),
                  reference.size());
    bool counts = std::find(inside.begin(), inside.end(), point) == inside.end();
    for (size_t k = 0; k < point.size(); ++k) {
      if (std::isinf(point[k]) && point[k] < 0)
        throw Error("Pareto front: an objective of point {} is minus infinity", place);
      counts = counts && point[k] < reference[k];
    }
    if (counts) inside.push_back(point);
  }
  return volume_of(std::move(inside), reference, reference.size());
}

std::vector<std::vector<double>> preferences(int64_t tasks, int64_t steps) {
  if (tasks < 1 || steps < 1)
    throw Error("preferences for {} tasks in {} steps: at least one of each", tasks, steps);
  std::vector<std::vector<double>> all;
  std::vector<int64_t> parts(static_cast<size_t>(tasks), 0);
  parts[0] = steps;
  while (true) {
    std::vector<double> preference;
    for (const int64_t part : parts)
      preference.push_back(static_cast<double>(part) / static_cast<double>(steps));
    all.push_back(std::move(preference));
    // The last part that can hand one to its neighbour does; what stood behind goes with it.
    int64_t giver = tasks - 2;
    while (giver >= 0 && parts[static_cast<size_t>(giver)] == 0) --giver;
    if (giver < 0) return all;
    const int64_t behind = parts.back();
    parts.back() = 0;
    --parts[static_cast<size_t>(giver)];
    parts[static_cast<size_t>(giver) + 1] += behind + 1;
  }
}

}  // namespace mtl::evaluate
