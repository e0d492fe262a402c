#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/formatted.hpp"

namespace mtl {

/// What was drawn from one of several sources.
struct DrawnSource {
  std::string name;
  int64_t batches = 0;    ///< drawn
  int64_t available = 0;  ///< batches that once through it takes
};

/// Which share of an epoch's batches is drawn from each of several sources. Says nothing about how
/// much a sample counts: that are sample weights.
///
///     mtl::Sampling::in_turn()           one of each, again and again: equal shares
///     mtl::Sampling::proportional()      share ~ n, its batches: every sample equally often
///     mtl::Sampling::temperature(2)      share ~ n^(1/2): between the two; Devlin et al. 2019
///     mtl::Sampling::shares({3, 1})      three of the first for each of the second
class Sampling {
 public:
  static Sampling in_turn() { return {"in turn", 0, {}}; }
  static Sampling proportional() { return {"proportionally", 1, {}}; }
  /// Error: not above 0.
  static Sampling temperature(double temperature) {
    if (!(temperature > 0))
      throw Error(
          "Sampling: found temperature {}, expected a number above 0: 1 is proportional, "
          "infinity draws all equally often",
          temperature);
    return {formatted("at temperature {}", temperature), 1 / temperature, {}};
  }
  /// One a source, in any unit. Error: one that is not a finite number above 0.
  static Sampling shares(std::vector<double> shares) {
    std::string text;
    for (const double share : shares) {
      if (!(share > 0 && std::isfinite(share)))
        throw Error(
            "Sampling: found a share of {}, expected a finite number above 0; a source "
            "that shall not be drawn is left out",
            share);
      text += formatted("{}{}", text.empty() ? "" : " : ", share);
    }
    return {"as " + text, 0, std::move(shares)};
  }

  /// The shares of sources with `sizes` batches; they sum to 1. Error: given for another number.
  std::vector<double> of(const std::vector<int64_t>& sizes) const {
    if (!shares_.empty() && shares_.size() != sizes.size())
      throw Error("Sampling: found {} shares for {} sources, expected one each", shares_.size(),
                  sizes.size());
    std::vector<double> result = shares_;
    // Beside the largest, so that no power of a size is infinite.
    const auto largest =
        static_cast<double>(sizes.empty() ? 1 : *std::max_element(sizes.begin(), sizes.end()));
    for (size_t s = result.size(); s < sizes.size(); ++s)
      result.push_back(std::pow(static_cast<double>(sizes[s]) / largest, power_));
    double sum = 0;
    for (const double share : result) sum += share;
    for (double& share : result) share /= sum;
    return result;
  }

  /// Whether they come in the same order again and again.
  bool takes_turns() const { return power_ == 0 && shares_.empty(); }
  const std::string& text() const { return text_; }

 private:
  Sampling(std::string text, double power, std::vector<double> shares)
      : text_(std::move(text)), power_(power), shares_(std::move(shares)) {}

  std::string text_;
  double power_;  // of the size
  std::vector<double> shares_;
};

}  // namespace mtl
