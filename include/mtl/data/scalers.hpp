#pragma once

#include "mtl/core/tensor.hpp"

namespace mtl {

// Scalers are values: made from the rows they learn from (the training part only), they change
// other rows by what they learned. Columns are what follows the first dimension; a vector [rows] is
// one column. Numbers are computed in float64 and returned in the type they came in; NaN (a missing
// value) is passed over in learning and stays NaN.
//
//     mtl::StandardScaler scaler(train_rows);
//     x = scaler.transform(x);
//     auto degrees = scaler.inverse_transform(model_output);
//
// They are saved as named tensors: write_safetensors(path, scaler.state_dict()), and back with
// StandardScaler::from_state_dict(read_safetensors(path)).

/// Zero mean and unit deviation a column, as scikit-learn's StandardScaler: the deviation is the
/// population's (divided by N), and a constant column is only shifted.
class StandardScaler {
 public:
  /// Throws Error where `rows` [N, ...] are not real numbers, have an infinite value, or a column
  /// has no value at all.
  explicit StandardScaler(const Tensor& rows);
  static StandardScaler from_state_dict(const NamedTensors& state);

  Tensor transform(const Tensor& rows) const;
  Tensor inverse_transform(const Tensor& rows) const;

  const Tensor& mean() const { return mean_; }    ///< float64, the shape of a row
  const Tensor& scale() const { return scale_; }  ///< deviation, 1 for a constant column
  NamedTensors state_dict() const;

 private:
  StandardScaler(Tensor mean, Tensor scale);
  Tensor mean_, scale_;
};

/// Each column of the rows it learns from to [0, 1]; a constant column to 0.
class MinMaxScaler {
 public:
  explicit MinMaxScaler(const Tensor& rows);
  static MinMaxScaler from_state_dict(const NamedTensors& state);

  Tensor transform(const Tensor& rows) const;
  Tensor inverse_transform(const Tensor& rows) const;

  const Tensor& minimum() const { return minimum_; }  ///< float64, the shape of a row
  const Tensor& scale() const { return scale_; }  ///< maximum - minimum, 1 for a constant column
  NamedTensors state_dict() const;

 private:
  MinMaxScaler(Tensor minimum, Tensor scale);
  Tensor minimum_, scale_;
};

/// Each missing value (NaN) of `rows` [N, ...] replaced by the last value before it in its column:
/// by what was known at the time. Values missing from the first row on stay missing.
Tensor fill_from_earlier(const Tensor& rows);

}  // namespace mtl
