#pragma once

#include <limits>
#include <utility>

#include "mtl/data/scalers/columns.hpp"

namespace mtl {

/// Zero mean and unit deviation a column, as scikit-learn's StandardScaler: the deviation is the
/// population's (divided by N), and a constant column is only shifted.
///
///     x -> (x - mean) / scale
///
/// A scaler is a value: made from the rows it learns from (the training part only), it changes
/// other rows by what it learned. Numbers are computed in float64 and returned in the type they
/// came in; NaN (a missing value) is passed over in learning and stays NaN. Saved as named tensors:
///
///     mtl::StandardScaler scaler(train_rows);
///     x = scaler.transform(x);
///     auto degrees = scaler.inverse_transform(model_output);
///     mtl::io::write_safetensors(file, scaler.state_dict());
///     auto again = mtl::StandardScaler::from_state_dict(mtl::io::read_safetensors(file));
class StandardScaler {
 public:
  /// `rows` [N, ...]. Error: they are not real numbers, have an infinite value, or a column has no
  /// value at all or values too far apart for a float64.
  explicit StandardScaler(const Tensor& rows) {
    const auto [values, counts] = data_detail::checked_columns(rows, name);
    mean_ = values.nansum(0) / counts;
    const Tensor difference = values - mean_;
    // The second term takes away what rounding of the mean left: exact for columns far from zero.
    const Tensor variance =
        (difference.square().nansum(0) - difference.nansum(0).square() / counts) / counts;
    data_detail::check_spread(variance, name);
    // A variance that rounding alone could make is none (scikit-learn's rule).
    const double epsilon = std::numeric_limits<double>::epsilon();
    const Tensor rounding = counts * epsilon * variance + (counts * mean_ * epsilon).square();
    scale_ = torch::where(variance <= rounding, torch::ones_like(variance), variance.sqrt());
  }

  /// Error: a tensor is missing, or the two do not belong together.
  static StandardScaler from_state_dict(const NamedTensors& state) {
    return {data_detail::part_of(state, "mean", name), data_detail::part_of(state, "scale", name)};
  }
  NamedTensors state_dict() const { return {{"mean", mean_}, {"scale", scale_}}; }

  /// `rows` [..., columns]. Error: other columns than those it learned from.
  Tensor transform(const Tensor& rows) const { return change().apply(rows); }
  Tensor inverse_transform(const Tensor& rows) const { return change().invert(rows); }

  const Tensor& mean() const { return mean_; }    ///< float64, the shape of a row
  const Tensor& scale() const { return scale_; }  ///< deviation, 1 for a constant column

 private:
  StandardScaler(Tensor mean, Tensor scale) : mean_(std::move(mean)), scale_(std::move(scale)) {
    data_detail::check_state(mean_, scale_, name);
  }
  data_detail::Affine change() const { return {name, mean_, scale_}; }

  static constexpr std::string_view name = "StandardScaler";
  Tensor mean_, scale_;
};

}  // namespace mtl
