#pragma once

#include "days.hpp"

namespace weather {

enum class Recipe { article, mtl };
std::string_view name_of(Recipe recipe);
/// Error: another name.
Recipe recipe_named(std::string_view name);

/// [N, classes] float64; all zero for a missing label.
Tensor class_columns(const Tensor& indices, const mtl::LabelEncoder& classes);

/// How a recipe turns days into numbers and numbers into degrees and per cent (docs/weather.md says
/// which). Learnt from the training part only. A module whose buffers are a part of the model, so
/// that they are saved with it.
class EncodingImpl : public torch::nn::Module {
 public:
  /// Without days it has nothing learnt, until it is loaded.
  EncodingImpl(Recipe recipe, mtl::LabelEncoder classes, const Days* train = nullptr);

  Recipe recipe() const { return recipe_; }
  const mtl::LabelEncoder& classes() const { return classes_; }
  int64_t input_size() const;

  /// [D, input_size()] float32.
  Tensor inputs(const Days& days) const;
  /// temp, rh [D, 1] float32 (NaN: missing) and weather [D] int64 (-100: missing) by name.
  NamedTensors targets(const Days& days) const;

  /// A model's outputs for N days, given the filled values [N, 5] of the days before: temp, rh [N]
  /// float64 in their units, and weather as it is; of those that there are.
  NamedTensors in_units(const NamedTensors& outputs, const Tensor& today) const;
  /// Degrees (temp) or per cent (rh) that one unit of the task's output stands for.
  double unit(Element task) const { return target_scale_[task].item<double>(); }

 private:
  Tensor numbers(const Days& days) const;  // [D, n] float64, not yet standardised
  Tensor standardised_targets(const Tensor& values) const;

  Recipe recipe_;
  mtl::LabelEncoder classes_;
  Tensor carried_;  // [2]: how much of today's standardised temp and rh a prediction starts from
  Tensor usual_;    // [5, 5] float64: mean and waves by number; mtl only
  Tensor mean_, scale_;                // [n] float64, of numbers()
  Tensor target_mean_, target_scale_;  // [2] float64: temp, rh
};
TORCH_MODULE(Encoding);

}  // namespace weather
