#include "mtl/evaluate/pareto_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "mtl/core/error.hpp"
#include "trials.hpp"

namespace mtl::evaluate {
namespace {

std::string slashed(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += fmt::format("{}{}", text.empty() ? "" : "/", value);
  return text;
}

std::string with_preference(const std::string& method, const std::vector<double>& preference) {
  return method + (method.find(':') == std::string::npos ? ":" : ",") +
         "weights=" + slashed(preference);
}

// Made small, whichever way a metric counts; its own inverse.
Objectives turned(const std::vector<double>& values,
                  const std::vector<Front::Objective>& objectives) {
  Objectives result = values;
  for (size_t k = 0; k < result.size(); ++k)
    if (objectives[k].better == Better::higher) result[k] = -result[k];
  return result;
}

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

void check_sweep(const SweepOptions& options) {
  distinct_folders(options.tasks, "a sweep of preferences needs tasks");
  distinct_folders(options.methods, "a sweep of preferences needs methods");
  if (options.tasks.size() < 2)
    throw Error("a sweep of preferences needs at least 2 tasks, found \"{}\"",
                options.tasks.front());
  if (options.seeds < 1)
    throw Error("seeds = {}: a sweep of preferences needs at least 1", options.seeds);
  check_running({options.directory, options.identity, options.processes, options.memory});
  if (!options.reference.empty() &&
      (options.reference.size() != options.tasks.size() || !all_finite(options.reference)))
    throw Error("a sweep of preferences over {} tasks needs a finite reference for each, found {}",
                options.tasks.size(), slashed(options.reference));
}

void find_front(Front& front, std::vector<double> reference) {
  std::vector<size_t> finite;
  std::vector<Objectives> reached;
  for (size_t i = 0; i < front.points.size(); ++i) {
    if (!all_finite(front.points[i].values)) continue;
    finite.push_back(i);
    reached.push_back(turned(front.points[i].values, front.objectives));
  }
  for (const size_t place : non_dominated(reached)) front.points[finite[place]].on_front = true;
  if (reached.empty()) return;

  Objectives worst = reached.front(), best = worst;
  for (const Objectives& point : reached)
    for (size_t k = 0; k < point.size(); ++k) {
      worst[k] = std::max(worst[k], point[k]);
      best[k] = std::min(best[k], point[k]);
    }
  if (!reference.empty()) worst = turned(reference, front.objectives);
  front.reference = turned(worst, front.objectives);
  double box = 1;
  for (size_t k = 0; k < worst.size(); ++k) box *= std::max(0.0, worst[k] - best[k]);

  std::vector<std::string> methods;
  for (const auto& point : front.points)
    if (methods.empty() || methods.back() != point.method) methods.push_back(point.method);
  methods.emplace_back();  // all
  for (const std::string& method : methods) {
    std::vector<Objectives> own;
    for (size_t i = 0; i < reached.size(); ++i)
      if (method.empty() || front.points[finite[i]].method == method) own.push_back(reached[i]);
    const double volume = own.empty() ? 0 : hypervolume(own, worst);
    front.volumes.push_back({method, volume, box > 0 ? volume / box : 0});
  }
}

}  // namespace

Front pareto_sweep(const SweepOptions& options, const Recipe& recipe) {
  check_sweep(options);
  Front front;
  front.seeds = options.seeds;
  std::vector<Trial> trials;
  for (const std::string& method : options.methods)
    for (auto& preference :
         preferences(static_cast<int64_t>(options.tasks.size()), options.steps)) {
      const std::string text = with_preference(method, preference);
      for (int64_t n = 0; n < options.seeds; ++n) {
        const uint64_t seed = options.first_seed + static_cast<uint64_t>(n);
        trials.push_back({text, options.tasks, seed,
                          options.directory / folder_name(text) / fmt::format("seed-{}", seed)});
      }
      front.points.push_back({method, std::move(preference), {}, {}});
    }
  const auto scores = scores_of_trials(
      trials, {options.directory, options.identity, options.processes, options.memory}, recipe);

  std::vector<Score> wanted;
  for (const std::string& task : options.tasks) {
    wanted.push_back(*judged_score(scores.front(), task));
    front.objectives.push_back({task, wanted.back().metric, wanted.back().better});
  }
  const auto runs = static_cast<size_t>(options.seeds);
  for (size_t i = 0; i < front.points.size(); ++i)
    for (const Score& score : wanted) {
      std::vector<double> values;
      for (size_t n = i * runs; n < (i + 1) * runs; ++n)
        values.push_back(score_of(scores[n], score, trials[n]));
      front.points[i].values.push_back(
          all_finite(values) ? mean(values) : std::numeric_limits<double>::quiet_NaN());
      front.points[i].deviations.push_back(all_finite(values) && runs > 1
                                               ? standard_deviation(values)
                                               : std::numeric_limits<double>::quiet_NaN());
    }
  find_front(front, options.reference);
  return front;
}

std::string Front::text() const {
  std::string text = "models that no other beats in every task:\n";
  for (const Point& point : points) {
    if (!point.on_front) continue;
    text += fmt::format("{} {}:", point.method, slashed(point.preference));
    for (size_t k = 0; k < objectives.size(); ++k)
      text += fmt::format("{} {} {} {:.4g}", k == 0 ? "" : ",", objectives[k].task,
                          objectives[k].metric, point.values[k]);
    text += '\n';
  }
  for (const Volume& volume : volumes)
    text += fmt::format("hypervolume of {}: {:.4g}, {:.1f} % of the box up to the reference\n",
                        volume.method.empty() ? "all" : volume.method, volume.value,
                        100 * volume.share);
  return text;
}

io::Json Front::json() const {
  io::Json json = {{"seeds", seeds}, {"reference", reference}};
  json["objectives"] = io::Json::array();
  for (const Objective& objective : objectives)
    json["objectives"].push_back(
        {{"task", objective.task},
         {"metric", objective.metric},
         {"better", objective.better == Better::higher ? "higher" : "lower"}});
  json["points"] = io::Json::array();
  for (const Point& point : points)
    json["points"].push_back({{"method", point.method},
                              {"preference", point.preference},
                              {"values", point.values},
                              {"deviations", point.deviations},
                              {"on_front", point.on_front}});
  json["hypervolume"] = io::Json::array();
  for (const Volume& volume : volumes)
    json["hypervolume"].push_back({{"method", volume.method.empty() ? "all" : volume.method},
                                   {"value", volume.value},
                                   {"share", volume.share}});
  return json;
}

}  // namespace mtl::evaluate
