#include "mtl/combine/scalars.hpp"

#include <vector>

#include "catch.hpp"
#include "mtl/core/tensor.hpp"

namespace {

using mtl::Tensor;

/// Leaves 0.1, 0.2, ... of a type.
std::vector<Tensor> leaves(int64_t count, torch::ScalarType type) {
  std::vector<Tensor> all;
  for (int64_t i = 0; i < count; ++i)
    all.push_back(torch::full({}, 0.1 * static_cast<double>(i + 1), type).requires_grad_());
  return all;
}

/// What torch makes of them is what we make of them: to the bit the value and the derivative of its
/// third power, to rounding the second one, which is a sum in another order.
void check_same(const Tensor& found, const Tensor& expected, const std::vector<Tensor>& of) {
  CHECK(found.equal(expected));
  CHECK(found.scalar_type() == expected.scalar_type());
  std::vector<Tensor> first[2], second[2];
  for (const bool ours : {false, true}) {
    const Tensor cubes = (ours ? found : expected).pow(3).sum();
    first[ours] = torch::autograd::grad({cubes}, of, {}, true, /*create_graph=*/true);
    second[ours] = torch::autograd::grad({torch::stack(first[ours]).pow(2).sum()}, of);
  }
  for (size_t i = 0; i < of.size(); ++i) {
    CHECK(first[true][i].equal(first[false][i]));
    const double tolerance = of[i].scalar_type() == torch::kDouble ? 1e-12 : 2e-2;
    CHECK(torch::allclose(second[true][i], second[false][i], tolerance));
  }
}

}  // namespace

TEST_CASE("scalars: stacked and sum_of are torch's, and so are their derivatives") {
  for (const auto type : {torch::kFloat, torch::kDouble, torch::kBFloat16})
    for (const int64_t count : {1, 2, 3, 8, 40}) {
      const std::vector<Tensor> some = leaves(count, type);
      check_same(mtl::stacked(some), torch::stack(some), some);
      check_same(mtl::sum_of(some), torch::stack(some).sum(), some);
    }
}

TEST_CASE("scalars: of two types, and where some have no graph, as torch has it") {
  std::vector<Tensor> some = leaves(2, torch::kDouble);
  const std::vector<Tensor> learn{some[0]};
  some[1] = some[1].detach();
  check_same(mtl::stacked(some), torch::stack(some), learn);
  check_same(mtl::sum_of(some), torch::stack(some).sum(), learn);
  some[1] = some[1].to(torch::kFloat);
  check_same(mtl::stacked(some), torch::stack(some), learn);
  CHECK_FALSE(mtl::stacked({some[1]}).requires_grad());
  const torch::NoGradGuard no_grad;
  CHECK_FALSE(mtl::stacked(learn).requires_grad());
  CHECK_FALSE(mtl::sum_of(learn).requires_grad());
}

TEST_CASE("scalars: each type is read as a number") {
  for (const auto type : {torch::kFloat, torch::kDouble, torch::kHalf, torch::kLong})
    CHECK(mtl::number_of(torch::full({}, 3, type)) == 3);
  CHECK(mtl::number_of(torch::arange(4.0)[2]) == 2);
}
