#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/evaluate/tuning/tuning_trial.hpp"

namespace mtl::evaluate {

/// Gives a trial up whose best report so far is worse than the median, over the trials that
/// finished, of the mean of their reports up to the same step. Needs no knowledge of how long
/// trials are. Golovin et al., "Google Vizier", KDD 2017.
struct MedianRule {
  int64_t after_steps = 0;   ///< leaves the first steps alone
  int64_t after_trials = 5;  ///< judges none before so many have finished

  bool operator()(const TuningTrial& trial, std::span<const TuningTrial> others,
                  Better better) const {
    const int64_t step = trial.reports.back().step;
    if (step <= after_steps) return false;
    std::vector<double> means;
    for (const TuningTrial& other : others)
      if (const auto mean = mean_up_to(other, step, better)) means.push_back(*mean);
    if (means.empty() || static_cast<int64_t>(means.size()) < after_trials) return false;
    std::sort(means.begin(), means.end());
    const size_t half = means.size() / 2;
    const double median = means.size() % 2 == 1 ? means[half] : (means[half - 1] + means[half]) / 2;
    double best = evaluate_detail::cost(trial.reports.front().score, better);
    for (const auto& report : trial.reports)
      best = std::min(best, evaluate_detail::cost(report.score, better));
    return best > median;
  }

 private:
  static std::optional<double> mean_up_to(const TuningTrial& trial, int64_t step, Better better) {
    if (trial.state != TrialState::finished) return {};
    double sum = 0;
    int64_t count = 0;
    for (const auto& report : trial.reports) {
      if (report.step > step) break;
      sum += evaluate_detail::cost(report.score, better);
      ++count;
    }
    if (count == 0) return {};
    return sum / static_cast<double>(count);
  }
};

}  // namespace mtl::evaluate
