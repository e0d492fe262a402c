#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "mtl/core/error.hpp"
#include "mtl/evaluate/tuning/tuning_trial.hpp"

namespace mtl::evaluate {

/// Judges each trial at steps `first_step`, `first_step` * `reduction`, ...: it goes on if it is
/// among the best 1 / `reduction` of those that have come so far (of fewer than `reduction`, if it
/// is the best). Asynchronous: nobody waits, and no trial that goes on is recalled.
/// Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020 (arXiv
/// 1810.05934), in the form that stops.
struct SuccessiveHalving {
  int64_t first_step = 1;
  int64_t reduction = 3;

  void check_options() const {
    if (first_step < 1 || reduction < 2)
      throw Error(
          "SuccessiveHalving: first_step = {}, reduction = {}; expected at least 1 and at least 2",
          first_step, reduction);
  }

  bool operator()(const TuningTrial& trial, std::span<const TuningTrial> others,
                  Better better) const {
    check_options();
    const auto& reports = trial.reports;
    const int64_t before = reports.size() > 1 ? reports[reports.size() - 2].step : 0;
    // Only where this report is the first at or beyond one of the steps.
    int64_t rung = first_step;
    while (rung <= reports.back().step / reduction) rung *= reduction;
    if (rung > reports.back().step || rung <= before) return false;
    const double own = evaluate_detail::cost(reports.back().score, better);
    int64_t came = 1, better_ones = 0;
    for (const TuningTrial& other : others) {
      const auto cost = cost_at(other, rung, better);
      came += cost.has_value();
      better_ones += cost && *cost < own;
    }
    return better_ones >= std::max<int64_t>(1, came / reduction);
  }

 private:
  static std::optional<double> cost_at(const TuningTrial& trial, int64_t rung, Better better) {
    for (const auto& report : trial.reports)
      if (report.step >= rung) return evaluate_detail::cost(report.score, better);
    return {};
  }
};

}  // namespace mtl::evaluate
