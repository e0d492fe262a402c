#include "mtl/data/scalers.hpp"

#include <limits>

#include "mtl/core/error.hpp"

namespace mtl {
namespace {

/// The rows as float64, looked through; their columns' counts of values in `counts`.
Tensor checked_rows(const Tensor& rows, std::string_view scaler, Tensor& counts) {
  if (!rows.defined() || rows.dim() == 0 || rows.size(0) == 0 || rows.is_complex()) {
    throw Error("{}: rows of real numbers [N, ...] are needed to learn from.", scaler);
  }
  Tensor values = rows.detach().to(torch::kFloat64);
  if (values.isinf().any().item<bool>()) {
    throw Error("{}: a value is infinite. Mark missing values by NaN.", scaler);
  }
  counts = values.isnan().logical_not().sum(0);
  const Tensor empty = torch::nonzero(counts.flatten() == 0);
  if (empty.size(0) > 0) {
    throw Error("{}: column {} has no value in {} rows. Leave it out.", scaler,
                empty[0].item<int64_t>(), rows.size(0));
  }
  return values;
}

void check_columns(const Tensor& rows, const Tensor& learned, std::string_view scaler) {
  if (rows.dim() < learned.dim() ||
      rows.sizes().slice(static_cast<size_t>(rows.dim() - learned.dim())) != learned.sizes()) {
    throw Error("{}: it learned from rows of shape {}, but was given {}.", scaler,
                shape_text(learned), shape_text(rows));
  }
}

/// `changed` in the type of `rows`, where that is a real type.
Tensor as_given(const Tensor& changed, const Tensor& rows) {
  return rows.is_floating_point() ? changed.to(rows.scalar_type()) : changed;
}

Tensor shifted(const Tensor& rows, const Tensor& by, const Tensor& scale, std::string_view scaler) {
  check_columns(rows, by, scaler);
  const auto device = rows.device();
  return as_given((rows.to(torch::kFloat64) - by.to(device)) / scale.to(device), rows);
}

Tensor shifted_back(const Tensor& rows, const Tensor& by, const Tensor& scale,
                    std::string_view scaler) {
  check_columns(rows, by, scaler);
  const auto device = rows.device();
  return as_given(rows.to(torch::kFloat64) * scale.to(device) + by.to(device), rows);
}

const Tensor& part_of(const NamedTensors& state, const char* name, std::string_view scaler) {
  const Tensor* found = state.find(name);
  if (found == nullptr) throw Error("{}: the saved state has no tensor \"{}\".", scaler, name);
  return *found;
}

constexpr std::string_view standard = "StandardScaler";
constexpr std::string_view min_max = "MinMaxScaler";

}  // namespace

StandardScaler::StandardScaler(const Tensor& rows) {
  Tensor counts;
  const Tensor values = checked_rows(rows, standard, counts);
  mean_ = values.nansum(0) / counts;
  const Tensor difference = values - mean_;
  // The second term takes away what rounding of the mean left: exact for columns far from zero.
  const Tensor variance =
      (difference.square().nansum(0) - difference.nansum(0).square() / counts) / counts;
  // A variance that rounding alone could make is none (scikit-learn's rule).
  const double epsilon = std::numeric_limits<double>::epsilon();
  const Tensor rounding = counts * epsilon * variance + (counts * mean_ * epsilon).square();
  scale_ = torch::where(variance <= rounding, torch::ones_like(variance), variance.sqrt());
}

StandardScaler::StandardScaler(Tensor mean, Tensor scale)
    : mean_(std::move(mean)), scale_(std::move(scale)) {}

StandardScaler StandardScaler::from_state_dict(const NamedTensors& state) {
  return {part_of(state, "mean", standard), part_of(state, "scale", standard)};
}

Tensor StandardScaler::transform(const Tensor& rows) const {
  return shifted(rows, mean_, scale_, standard);
}

Tensor StandardScaler::inverse_transform(const Tensor& rows) const {
  return shifted_back(rows, mean_, scale_, standard);
}

NamedTensors StandardScaler::state_dict() const { return {{"mean", mean_}, {"scale", scale_}}; }

MinMaxScaler::MinMaxScaler(const Tensor& rows) {
  Tensor counts;
  const Tensor values = checked_rows(rows, min_max, counts);
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor missing = values.isnan();
  minimum_ = values.masked_fill(missing, infinity).amin(0);
  const Tensor width = values.masked_fill(missing, -infinity).amax(0) - minimum_;
  scale_ = torch::where(width == 0, torch::ones_like(width), width);
}

MinMaxScaler::MinMaxScaler(Tensor minimum, Tensor scale)
    : minimum_(std::move(minimum)), scale_(std::move(scale)) {}

MinMaxScaler MinMaxScaler::from_state_dict(const NamedTensors& state) {
  return {part_of(state, "minimum", min_max), part_of(state, "scale", min_max)};
}

Tensor MinMaxScaler::transform(const Tensor& rows) const {
  return shifted(rows, minimum_, scale_, min_max);
}

Tensor MinMaxScaler::inverse_transform(const Tensor& rows) const {
  return shifted_back(rows, minimum_, scale_, min_max);
}

NamedTensors MinMaxScaler::state_dict() const { return {{"minimum", minimum_}, {"scale", scale_}}; }

Tensor fill_from_earlier(const Tensor& rows) {
  if (!rows.is_floating_point() || rows.dim() == 0) {
    throw Error(
        "fill_from_earlier: rows of real numbers [N, ...] are needed, where NaN is a "
        "missing value.");
  }
  if (rows.size(0) == 0) return rows;
  // For each cell the last row so far that has a value; -1 before the first.
  std::vector<int64_t> shape(static_cast<size_t>(rows.dim()), 1);
  shape[0] = rows.size(0);
  const Tensor numbers =
      torch::arange(rows.size(0), torch::dtype(torch::kInt64).device(rows.device())).view(shape);
  const Tensor known = torch::where(rows.isnan(), torch::full_like(numbers, -1), numbers);
  const Tensor last = std::get<0>(known.cummax(0));
  return rows.gather(0, last.clamp_min(0));  // row 0 itself is missing where there is none
}

}  // namespace mtl
