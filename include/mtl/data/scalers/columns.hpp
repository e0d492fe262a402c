#pragma once

#include <string_view>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

// What the scalers have in common. Columns are what follows the first dimension; a vector [rows] is
// one column.

namespace mtl::data_detail {

/// The rows that a scaler learns from, in float64, and how many values each column has.
struct Columns {
  Tensor values, counts;
};

inline Columns checked_columns(const Tensor& rows, std::string_view scaler) {
  if (!rows.defined() || rows.dim() == 0 || rows.size(0) == 0 || rows.is_complex())
    throw Error("{}: rows of real numbers [N, ...] are needed to learn from, found {}", scaler,
                shape_text(rows));
  const Tensor values = rows.detach().to(torch::kFloat64);
  if (values.isinf().any().item<bool>())
    throw Error("{}: a value is infinite. Mark missing values by NaN", scaler);
  const Tensor counts = values.isnan().logical_not().sum(0);
  const Tensor empty = torch::nonzero(counts.flatten() == 0);
  if (empty.size(0) > 0)
    throw Error("{}: column {} has no value in {} rows. Leave it out", scaler,
                empty[0].item<int64_t>(), rows.size(0));
  return {values, counts};
}

/// Error: a column's values lie so far apart that their spread is infinite in float64.
inline void check_spread(const Tensor& spread, std::string_view scaler) {
  const Tensor wrong = torch::nonzero(spread.flatten().isfinite().logical_not());
  if (wrong.size(0) > 0)
    throw Error("{}: the values of column {} lie too far apart. Mark those that are none by NaN",
                scaler, wrong[0].item<int64_t>());
}

/// x -> (x - by) / scale, column by column, and back.
struct Affine {
  std::string_view scaler;
  const Tensor &by, &scale;

  Tensor apply(const Tensor& rows) const {
    check(rows);
    return as_given((in_double(rows) - by.to(rows.device())) / scale.to(rows.device()), rows);
  }
  Tensor invert(const Tensor& rows) const {
    check(rows);
    return as_given(in_double(rows) * scale.to(rows.device()) + by.to(rows.device()), rows);
  }

 private:
  void check(const Tensor& rows) const {
    if (!rows.defined() || rows.is_complex() || rows.dim() < by.dim() ||
        rows.sizes().slice(static_cast<size_t>(rows.dim() - by.dim())) != by.sizes())
      throw Error("{}: it learned from rows of shape {}, but was given {}", scaler, shape_text(by),
                  shape_text(rows));
  }
  static Tensor in_double(const Tensor& rows) { return rows.to(torch::kFloat64); }
  /// In the type of `rows`, where that is a real type.
  static Tensor as_given(const Tensor& changed, const Tensor& rows) {
    return rows.is_floating_point() ? changed.to(rows.scalar_type()) : changed;
  }
};

/// A tensor of a scaler's saved state, in float64. Error: it is missing or no real numbers.
inline Tensor part_of(const NamedTensors& state, const char* name, std::string_view scaler) {
  const Tensor* found = state.find(name);
  if (found == nullptr || !found->defined())
    throw Error("{}: the saved state has no tensor \"{}\"", scaler, name);
  if (!found->is_floating_point() || !found->isfinite().all().item<bool>())
    throw Error("{}: the saved tensor \"{}\" is not made of finite real numbers", scaler, name);
  return found->to(torch::kFloat64);
}

/// Error: the two parts of a saved state do not belong together, or a scale is not above 0.
inline void check_state(const Tensor& by, const Tensor& scale, std::string_view scaler) {
  if (by.sizes() != scale.sizes())
    throw Error("{}: the saved tensors have shapes {} and {}; they must be the same", scaler,
                shape_text(by), shape_text(scale));
  if (!(scale > 0).all().item<bool>()) throw Error("{}: a saved scale is not above 0", scaler);
}

}  // namespace mtl::data_detail
