#include "mtl/nn/heads/step_head.hpp"

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/nn/clone.hpp"

using mtl::nn::StepHead;

TEST_CASE("StepHead: a linear layer of every step but the first, in both layouts") {
  torch::manual_seed(1);
  StepHead head({.input_size = 3, .output_size = 2});
  const auto x = torch::randn({4, 6, 3});
  const auto weights = head->named_parameters();
  const auto expected = x.slice(1, 1).matmul(weights["linear.weight"].t()) + weights["linear.bias"];
  CHECK(head->forward(x).allclose(expected.transpose(1, 2)));
  CHECK(mtl::nn::clone(*head)->forward(x).equal(head->forward(x)));
  StepHead steps_first({.input_size = 3, .output_size = 2, .steps_first = true});
  mtl::nn::copy_state(*head, *steps_first);
  CHECK(steps_first->forward(x).allclose(expected));
  CHECK(contains(error_text([&] { head->forward(x.slice(1, 0, 1)); }), "found [4, 1, 3]"));
  CHECK(contains(error_text([] { StepHead({.output_size = 3}); }), "input_size 0"));
}
