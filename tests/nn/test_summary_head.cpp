#include "mtl/nn/heads/summary_head.hpp"

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/nn/clone.hpp"

using mtl::nn::SummaryHead;

TEST_CASE("SummaryHead: a linear layer of the first step alone") {
  torch::manual_seed(1);
  SummaryHead head({.input_size = 3, .output_size = 2});
  const auto x = torch::randn({4, 6, 3});
  const auto weights = head->named_parameters();
  const auto expected =
      x.select(1, 0).matmul(weights["linear.weight"].t()) + weights["linear.bias"];
  CHECK(head->forward(x).allclose(expected));
  CHECK(mtl::nn::clone(*head)->forward(x).equal(head->forward(x)));
  CHECK(contains(error_text([&] { head->forward(x[0]); }), "found [6, 3], expected a summary"));
  CHECK(contains(error_text([] { SummaryHead({.input_size = 3}); }), "output_size 0"));
}
