#pragma once

#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "mtl/task/metrics/weighted_pairs.hpp"

namespace mtl {

/// Harrell's concordance index: the share of comparable pairs whose predictions stand in the order
/// of their targets, equal predictions counting half. Harrell et al., JAMA 1982.
///
/// Predictions [N] or [N, 1] that rise with the target (a time of survival; give a risk its minus).
/// Targets [N] or [N, 1], or [N, 2]: a time and 1 where the event was seen then, 0 where the sample
/// was lost from sight (censored). A pair is comparable when the earlier time is an event; of two
/// equal times, when one only is, which is then the earlier. A NaN time is missing (-100 of whole
/// numbers). Sample weights [N] >= 0, a pair's is their product. NaN without a comparable pair and
/// where a prediction that counts is NaN. Pairs need all rows: it keeps 32 bytes a sample.
struct ConcordanceIndex {
  static constexpr bool higher_is_better = true;
  std::string name = "concordance_index";

  struct State {
    std::vector<double> predicted = {}, time = {}, weights = {};
    std::vector<char> event = {};
    bool has_nan = false;

    void merge(const State& other) {
      const auto append = [](auto& to, const auto& from) {
        to.insert(to.end(), from.begin(), from.end());
      };
      append(predicted, other.predicted);
      append(time, other.time);
      append(weights, other.weights);
      append(event, other.event);
      has_nan = has_nan || other.has_nan;
    }
  };

  /// Error: other shapes, an event that is neither 0 nor 1.
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    const bool with_events = targets.dim() == 2 && targets.size(1) == 2;
    const Tensor truth = targets.to(torch::kCPU, torch::kDouble);
    const Tensor times = with_events ? truth.select(1, 0) : truth;
    const Tensor events = with_events ? truth.select(1, 1).contiguous() : Tensor();
    const Tensor y = predictions.detach().to(torch::kCPU, torch::kDouble);
    const Tensor t = match_target(y, times).contiguous(), scores = y.contiguous();
    if (y.numel() != y.size(0))
      throw Error("ConcordanceIndex: predictions {}, expected one a sample, [N] or [N, 1]",
                  shape_text(predictions));
    // Missing as the type says that they came in.
    const Tensor given = with_events ? targets.select(1, 0) : targets;
    const Tensor counts = task_detail::entries_that_count(given, sample_weights).contiguous();
    const Tensor weights = task_detail::weights_of_entries(times, sample_weights).contiguous();
    for (int64_t n = 0; n < y.size(0); ++n) {
      if (!counts.data_ptr<bool>()[n]) continue;
      const double event = with_events ? events.data_ptr<double>()[n] : 1;
      if (event != 0 && event != 1)
        throw RowError(
            n, "the event in ",
            " is " + std::to_string(event) + ", expected 1 (seen) or 0 (lost from sight)");
      state.predicted.push_back(scores.data_ptr<double>()[n]);
      state.time.push_back(t.data_ptr<double>()[n]);
      state.weights.push_back(weights.data_ptr<double>()[n]);
      state.event.push_back(event == 1);
      state.has_nan = state.has_nan || std::isnan(state.predicted.back());
    }
  }

  double value(const State& state) const {
    if (state.has_nan) return task_detail::no_value;
    const std::vector<size_t> by_score = rising_order(state.predicted);
    std::vector<size_t> place(by_score.size());  // equal predictions have one place
    size_t places = 0;
    for_each_tie(state.predicted, by_score, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) place[by_score[i]] = places;
      ++places;
    });
    // From the latest time down: what is in the tree outlived the rows at hand.
    Sums later(places);
    const double scale =
        task_detail::near_one(std::accumulate(state.weights.begin(), state.weights.end(), 0.0));
    const std::vector<size_t> by_time = rising_order(state.time);
    double concordant = 0, comparable = 0;
    for (size_t end = by_time.size(), begin = end; end > 0; end = begin) {
      while (begin > 0 && state.time[by_time[begin - 1]] == state.time[by_time[end - 1]]) --begin;
      const auto each = [&](bool event, const auto& f) {
        for (size_t i = begin; i < end; ++i)
          if ((state.event[by_time[i]] != 0) == event) f(by_time[i]);
      };
      const auto enter = [&](size_t i) { later.add(place[i], scale * state.weights[i]); };
      each(false, enter);
      each(true, [&](size_t i) {
        const double all = later.below(places), up_to = later.below(place[i] + 1),
                     tied = up_to - later.below(place[i]);
        const double weight = scale * state.weights[i];
        comparable += weight * all;
        concordant += weight * (all - up_to + tied / 2);
      });
      each(true, enter);
    }
    return comparable > 0 ? concordant / comparable : task_detail::no_value;
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }

 private:
  /// Sums over the first places, added to and asked in logarithmic time (Fenwick 1994).
  struct Sums {
    explicit Sums(size_t places) : tree(places + 1) {}
    void add(size_t place, double weight) {
      for (size_t i = place + 1; i < tree.size(); i += i & (~i + 1)) tree[i] += weight;
    }
    double below(size_t place) const {
      double sum = 0;
      for (size_t i = place; i > 0; i -= i & (~i + 1)) sum += tree[i];
      return sum;
    }
    std::vector<double> tree;
  };
};

}  // namespace mtl
