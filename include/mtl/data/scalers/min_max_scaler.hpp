#pragma once

#include <limits>
#include <utility>

#include "mtl/data/scalers/columns.hpp"

namespace mtl {

/// Each column of the rows it learns from to [0, 1]; a constant column to 0. Other rows may lie
/// beyond.
///
///     x -> (x - minimum) / scale,    scale = maximum - minimum
///
/// Types, missing values and saving as in StandardScaler.
class MinMaxScaler {
 public:
  /// `rows` [N, ...]. Error: they are not real numbers, have an infinite value, or a column has no
  /// value at all or values too far apart for a float64.
  explicit MinMaxScaler(const Tensor& rows) {
    const auto [values, counts] = data_detail::checked_columns(rows, name);
    const double infinity = std::numeric_limits<double>::infinity();
    const Tensor missing = values.isnan();
    minimum_ = values.masked_fill(missing, infinity).amin(0);
    const Tensor width = values.masked_fill(missing, -infinity).amax(0) - minimum_;
    data_detail::check_spread(width, name);
    scale_ = torch::where(width == 0, torch::ones_like(width), width);
  }

  /// Error: a tensor is missing, or the two do not belong together.
  static MinMaxScaler from_state_dict(const NamedTensors& state) {
    return {data_detail::part_of(state, "minimum", name),
            data_detail::part_of(state, "scale", name)};
  }
  NamedTensors state_dict() const { return {{"minimum", minimum_}, {"scale", scale_}}; }

  /// `rows` [..., columns]. Error: other columns than those it learned from.
  Tensor transform(const Tensor& rows) const { return change().apply(rows); }
  Tensor inverse_transform(const Tensor& rows) const { return change().invert(rows); }

  const Tensor& minimum() const { return minimum_; }  ///< float64, the shape of a row
  const Tensor& scale() const { return scale_; }      ///< 1 for a constant column

 private:
  MinMaxScaler(Tensor minimum, Tensor scale)
      : minimum_(std::move(minimum)), scale_(std::move(scale)) {
    data_detail::check_state(minimum_, scale_, name);
  }
  data_detail::Affine change() const { return {name, minimum_, scale_}; }

  static constexpr std::string_view name = "MinMaxScaler";
  Tensor minimum_, scale_;
};

}  // namespace mtl
