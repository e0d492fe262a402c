#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "mtl/core/order.hpp"
#include "mtl/task/entries.hpp"
#include "mtl/task/streaming_metric.hpp"

namespace mtl {

/// Mean average precision of detected boxes by COCO's definition: precision at 101 recalls,
/// averaged over these, over the overlaps .5, .55, ..., .95 from which a box counts as found, and
/// over the classes that occur (Lin et al., ECCV 2014). As pycocotools, crowds and sizes included.
///
/// Predictions [N, Q, 4 + C]: Q boxes a picture as x0, y0, x1, y1, then a score for each class, a
/// logit or a probability: every box is a detection of every class. A score of -inf is none.
/// Targets [N, G, 5]: x0, y0, x1, y1 and the class, rows filled up with NaN. A picture without any
/// object has a row of class -1; one of NaN only is missing. Targets [N, G, 6] also say which
/// objects are crowds (1, else 0): a crowd need not be found, and what lies in it is no mistake.
/// [N, G, 7] also say how large an object is, NaN where its box says it: COCO's sizes are those of
/// outlines. Sample weights [N] >= 0. NaN without any object and where a prediction that counts is
/// NaN. Keeps the scores of all detections.
struct MeanAveragePrecision {
  static constexpr bool higher_is_better = true;
  /// Intersection over union from which on a box is found; {0.5} is the older AP50.
  std::vector<double> overlaps = {0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95};
  int64_t most = 100;  ///< detections a picture and class, those of the highest scores
  /// Sizes of the objects that count, both included, in the boxes' unit squared. Others need not be
  /// found, nor is a detection of another size that finds nothing a mistake. COCO's, in pixels:
  /// small up to 32^2, medium to 96^2, large above.
  double smallest = 0;
  double largest = std::numeric_limits<double>::infinity();
  std::string name = "map";

  /// What became of a detection: no object of its class is there, one was found, or one that does
  /// not count.
  enum class Outcome : uint8_t { wrong, right, ignored };

  struct State {
    struct Detection {
      double score, weight;
      std::vector<Outcome> outcomes;  // by overlap
    };
    struct OfClass {
      std::vector<Detection> detections = {};
      long double objects = 0;  // that count
    };
    std::map<int64_t, OfClass> classes = {};
    bool has_nan = false;

    void merge(const State& other) {
      has_nan = has_nan || other.has_nan;
      for (const auto& [label, theirs] : other.classes) {
        OfClass& own = classes[label];
        own.detections.insert(own.detections.end(), theirs.detections.begin(),
                              theirs.detections.end());
        own.objects += theirs.objects;
      }
    }
  };

  /// Error: other shapes. RowError: a class that the scores do not have.
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    if (predictions.dim() != 3 || targets.dim() != 3 || predictions.size(2) < 5 ||
        targets.size(2) < 5 || targets.size(2) > 7 || predictions.size(0) != targets.size(0) ||
        !targets.is_floating_point())
      throw Error(
          "MeanAveragePrecision: predictions {} and targets {}, expected boxes and scores "
          "[N, Q, 4 + C] and boxes and classes [N, G, 5], with crowds 6, with sizes 7, in a real "
          "type",
          shape_text(predictions), shape_text(targets));
    const Tensor counts =
        task_detail::entries_that_count(targets, sample_weights).flatten(1).any(1).contiguous();
    const Tensor found = predictions.detach().to(torch::kCPU, torch::kDouble).contiguous();
    const Tensor truth = targets.to(torch::kCPU, torch::kDouble).contiguous();
    for (int64_t n = 0; n < found.size(0); ++n) {
      if (!counts.data_ptr<bool>()[n]) continue;
      const double weight = sample_weights.defined() ? sample_weights[n].item<double>() : 1;
      add_picture(state, found[n], truth[n], weight, n);
    }
  }

  double value(const State& state) const {
    if (state.has_nan) return task_detail::no_value;
    double sum = 0, occurring = 0;
    for (const auto& [label, of_class] : state.classes) {
      if (of_class.objects == 0) continue;
      ++occurring;
      std::vector<double> scores;
      for (const auto& detection : of_class.detections) scores.push_back(detection.score);
      const std::vector<size_t> order = falling_order(scores);
      for (size_t o = 0; o < overlaps.size(); ++o) sum += average_precision(of_class, order, o);
    }
    return occurring == 0 ? task_detail::no_value
                          : sum / (occurring * static_cast<double>(overlaps.size()));
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }

 private:
  struct Object {
    const double* box;
    bool is_crowd, counts;
  };

  static double area(const double* box) { return (box[2] - box[0]) * (box[3] - box[1]); }

  /// Of a crowd it is enough to lie in it: over the detection's area alone.
  static double overlap(const double* detection, const Object& object) {
    const auto length = [](double low, double high) { return std::max(0.0, high - low); };
    const double *a = detection, *b = object.box;
    const double both = length(std::max(a[0], b[0]), std::min(a[2], b[2])) *
                        length(std::max(a[1], b[1]), std::min(a[3], b[3]));
    if (!(both > 0)) return 0;
    return both / (object.is_crowd ? area(a) : area(a) + area(b) - both);
  }

  bool is_of_size(double size) const { return size >= smallest && size <= largest; }

  /// By class, those that count first. `truth` [G, 5 to 7].
  std::map<int64_t, std::vector<Object>> objects_of(const Tensor& truth, int64_t classes,
                                                    int64_t row) const {
    std::map<int64_t, std::vector<Object>> objects;
    const int64_t width = truth.size(1);
    for (int64_t g = 0; g < truth.size(0); ++g) {
      const double* const object = truth.data_ptr<double>() + g * width;
      if (std::isnan(object[4]) || object[4] == -1) continue;
      if (object[4] != std::floor(object[4]) || object[4] < 0 ||
          object[4] >= static_cast<double>(classes))
        throw RowError(row, "the target has class " + std::to_string(object[4]) + " in ",
                       ", but there are scores of " + std::to_string(classes) + " classes");
      const bool is_crowd = width > 5 && object[5] == 1;
      const double size = width > 6 && !std::isnan(object[6]) ? object[6] : area(object);
      objects[static_cast<int64_t>(object[4])].push_back(
          {object, is_crowd, !is_crowd && is_of_size(size)});
    }
    for (auto& [label, of_class] : objects)
      std::stable_partition(of_class.begin(), of_class.end(),
                            [](const Object& object) { return object.counts; });
    return objects;
  }

  /// `found` [Q, 4 + C].
  void add_picture(State& state, const Tensor& found, const Tensor& truth, double weight,
                   int64_t row) const {
    const int64_t width = found.size(1), classes = width - 4;
    const auto box = [&](int64_t q) { return found.data_ptr<double>() + q * width; };
    const auto objects = objects_of(truth, classes, row);
    state.has_nan = state.has_nan || found.isnan().any().item<bool>();
    if (state.has_nan) return;
    for (int64_t label = 0; label < classes; ++label) {
      const auto score = [&](int64_t q) { return box(q)[4 + label]; };
      std::vector<int64_t> order;
      for (int64_t q = 0; q < found.size(0); ++q)
        if (score(q) > -std::numeric_limits<double>::infinity()) order.push_back(q);
      std::stable_sort(order.begin(), order.end(),
                       [&](int64_t a, int64_t b) { return score(a) > score(b); });
      if (static_cast<int64_t>(order.size()) > most) order.resize(static_cast<size_t>(most));
      const auto it = objects.find(label);
      const std::vector<Object> of_class = it == objects.end() ? std::vector<Object>() : it->second;
      if (order.empty() && of_class.empty()) continue;
      auto& sums = state.classes[label];
      for (const Object& object : of_class) sums.objects += object.counts ? weight : 0;
      std::vector<const double*> boxes;
      for (const int64_t q : order) boxes.push_back(box(q));
      const size_t first = sums.detections.size();
      for (const int64_t q : order)
        sums.detections.push_back({score(q), weight, std::vector<Outcome>(overlaps.size())});
      for (size_t o = 0; o < overlaps.size(); ++o) {
        const auto outcomes = outcomes_of(boxes, of_class, overlaps[o]);
        for (size_t d = 0; d < outcomes.size(); ++d)
          sums.detections[first + d].outcomes[o] = outcomes[d];
      }
    }
  }

  /// Detections, best score first, each take the object that they cover best and nobody has; one
  /// that counts before any other, crowds as often as may be.
  std::vector<Outcome> outcomes_of(const std::vector<const double*>& boxes,
                                   const std::vector<Object>& objects, double from) const {
    std::vector<bool> taken(objects.size());
    std::vector<Outcome> outcomes;
    for (const double* const box : boxes) {
      double best = std::min(from, 1 - 1e-10);
      size_t match = objects.size();
      for (size_t g = 0; g < objects.size(); ++g) {
        if (taken[g] && !objects[g].is_crowd) continue;
        if (match < g && objects[match].counts && !objects[g].counts) break;
        const double covered = overlap(box, objects[g]);
        if (covered < best) continue;
        best = covered;
        match = g;
      }
      if (match == objects.size()) {
        outcomes.push_back(is_of_size(area(box)) ? Outcome::wrong : Outcome::ignored);
        continue;
      }
      taken[match] = true;
      outcomes.push_back(objects[match].counts ? Outcome::right : Outcome::ignored);
    }
    return outcomes;
  }

  /// `order`: of the detections, best score first.
  double average_precision(const State::OfClass& of_class, const std::vector<size_t>& order,
                           size_t o) const {
    // Sums of fractions that do not depend on their order: else all of them might be less than all.
    long double right = 0, all = 0;
    const auto over = [](long double part, long double whole) {
      return static_cast<double>(part) / static_cast<double>(whole);
    };
    std::vector<double> recall, precision;
    for (const size_t d : order) {
      const auto& detection = of_class.detections[d];
      if (detection.outcomes[o] == Outcome::ignored) continue;
      all += detection.weight;
      right += detection.outcomes[o] == Outcome::right ? detection.weight : 0;
      recall.push_back(over(right, of_class.objects));
      precision.push_back(over(right, all));
    }
    for (size_t i = precision.size(); i-- > 1;)
      precision[i - 1] = std::max(precision[i - 1], precision[i]);
    double sum = 0;
    for (int r = 0; r <= 100; ++r) {
      const auto at = std::lower_bound(recall.begin(), recall.end(), r * 0.01) - recall.begin();
      if (at < static_cast<std::ptrdiff_t>(recall.size()))
        sum += precision[static_cast<size_t>(at)];
    }
    return sum / 101;
  }
};

}  // namespace mtl
