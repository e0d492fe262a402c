#pragma once

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../golden.hpp"
#include "error_text.hpp"
#include "some_losses.hpp"

/// What the tests of single loss combiners have in common.
namespace loss_checks {

using namespace mtl;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

inline std::vector<double> numbers(const nlohmann::json& values) {
  return values.get<std::vector<double>>();
}

/// The losses of a golden row as leaves, so that their gradients can be read.
inline TaskLosses losses_of(const nlohmann::json& row) { return constant_losses(numbers(row)); }

inline NamedTensors named(const std::string& name, const Tensor& tensor) {
  NamedTensors state;
  state.insert(name, tensor);
  return state;
}

inline void check_close(const Tensor& found, const Tensor& expected, double tolerance = 1e-9) {
  INFO("found\n" << found << "\nexpected\n" << expected);
  CHECK(torch::allclose(found, expected, tolerance, 1e-12));
}

/// .grad of each, 0 where there is none.
inline Tensor gradients(const std::vector<Tensor>& values) {
  std::vector<Tensor> rows;
  for (const Tensor& value : values)
    rows.push_back(value.grad().defined() ? value.grad() : torch::zeros({}, torch::kDouble));
  return torch::stack(rows);
}

inline void check_same(const NamedTensors& found, const NamedTensors& expected) {
  REQUIRE(found.size() == expected.size());
  for (const auto& item : found)
    CHECK(torch::allclose(item.value(), expected[item.key()], 0, 0, /*equal_nan=*/true));
}

/// Value and gradients to the losses, and to the combiner's parameters where there are any.
inline void check_step(LossCombiner& combiner, const TaskLosses& losses,
                       const nlohmann::json& expected) {
  const Tensor value = combiner.combine(losses);
  CHECK(value.item<double>() == Approx(expected["value"].get<double>()).epsilon(1e-9));
  value.backward();
  check_close(gradients(losses.values), tensor_of(expected["grad_losses"]));
  if (expected.contains("grad_parameters"))
    check_close(gradients(combiner.parameters()), tensor_of(expected["grad_parameters"]));
}

/// Of every golden case the first losses, and what they are to become.
template <class Check>
void for_each_golden_case(const std::string& method, Check&& check) {
  const auto& cases = golden("scalarizers.json")["cases"];
  REQUIRE_FALSE(cases.empty());
  for (const auto& c : cases) check(losses_of(c["losses"][0]), c["expected"][method]);
}

/// What is saved of a combiner after some steps continues in another to the bit; so does what is
/// saved before the first. `make` gives one like the other.
template <class Make>
void check_resume(Make&& make) {
  const std::unique_ptr<LossCombiner> first = make(), second = make(), third = make();
  LossCombiner &original = *first, &copy = *second, &another = *third;
  const auto epoch = [](LossCombiner& combiner, double scale) {
    std::vector<double> values;
    for (int step = 0; step < 3; ++step) {
      TaskLosses losses = constant_losses({scale * (1 + step), 2.0 / scale, 0.3 + step});
      if (step == 1) losses = only(losses, {0, 2});
      const Tensor value = combiner.combine(losses);
      value.backward();
      values.push_back(value.item<double>());
      if (combiner.wants_losses_after_step()) {
        TaskLosses after = constant_losses({scale * (2 + step), 1.5 / scale, 0.2 + step});
        combiner.after_step(step == 1 ? only(after, {0, 2}) : after);
      }
      const torch::NoGradGuard no_grad;
      for (const Tensor& parameter : combiner.parameters()) {
        if (parameter.grad().defined()) parameter.add_(parameter.grad(), -0.01);
        parameter.mutable_grad().reset();
      }
    }
    combiner.end_epoch();
    return values;
  };
  copy.load_state_dict(another.state_dict());
  original.load_state_dict(another.state_dict());
  for (const double scale : {1.0, 0.8, 0.5}) CHECK(epoch(original, scale) == epoch(copy, scale));
  original.combine(constant_losses({1.0, 2.0, 3.0}));  // in the middle of an epoch
  if (original.wants_losses_after_step()) original.after_step(constant_losses({1.0, 1.9, 2.0}));
  another.load_state_dict(original.state_dict());
  for (const double scale : {0.4, 0.3}) CHECK(epoch(original, scale) == epoch(another, scale));
}

}  // namespace loss_checks
