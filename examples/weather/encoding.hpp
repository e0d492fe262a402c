#pragma once

#include <string>
#include <vector>

#include "days.hpp"

namespace weather {

enum class Recipe { article, mtl };
std::string_view name_of(Recipe recipe);
/// Error: another name.
Recipe recipe_named(std::string_view name);

/// How a recipe turns days into numbers and numbers into degrees and per cent. Learnt from the
/// training part only, and kept with the model's weights.
///
/// article, 10 inputs a day: year, temp, rh, atm, sunlight, precipitation, standardised; sine and
///   cosine of month / 12 and day / 31. The targets are tomorrow's standardised temperature and
///   humidity.
/// mtl: temp, rh, atm, sunlight and log(1 + precipitation), each standardised as it is and as the
///   difference from what is usual on that day of the year (a mean and two waves fitted by least
///   squares); the first term of the weather and the term that the day ended with, one-hot; sine
///   and cosine of the day of the year. The target of the temperature is its change since the last
///   day; that of the humidity is the change when half of the last day's difference from the mean
///   is gone by itself.
class Encoding {
 public:
  Encoding(Recipe recipe, const Days& train, std::vector<std::string> classes);
  static Encoding from_state(Recipe recipe, std::vector<std::string> classes,
                             const mtl::NamedTensors& state);
  mtl::NamedTensors state_dict() const;

  Recipe recipe() const { return recipe_; }
  const std::vector<std::string>& classes() const { return classes_; }
  int64_t input_size() const;

  /// [D, input_size()] float32.
  mtl::Tensor inputs(const Days& days) const;
  /// temp, rh [D, 1] float32 (NaN: missing) and weather [D] int64 (-100: missing) by name. Day 0 of
  /// temp and rh is missing where a target needs the day before.
  mtl::NamedTensors targets(const Days& days) const;

  /// Outputs [N] of the task "temp" or "rh" in its unit, float64, given the filled value [N] of the
  /// day before.
  mtl::Tensor in_unit(std::string_view task, const mtl::Tensor& outputs,
                      const mtl::Tensor& last) const;
  /// Degrees (or per cent) that one unit of the task's output stands for.
  double unit(std::string_view task) const;

 private:
  Encoding() = default;
  mtl::Tensor numbers(const Days& days) const;  // [D, n] float64, not yet standardised
  mtl::Tensor one_hot(const std::vector<std::string>& terms) const;
  int64_t target_index(std::string_view task) const;

  Recipe recipe_ = Recipe::article;
  std::vector<std::string> classes_;
  mtl::Tensor usual_;                       // [5, 5] float64: mean and waves by number; mtl only
  mtl::Tensor mean_, scale_;                // [n] float64, of numbers()
  mtl::Tensor target_mean_, target_scale_;  // [2] float64: temp, rh
};

}  // namespace weather
