#include "catch.hpp"

#include "mtl/core/core.hpp"

TEST_CASE("is_labelled: a row of real values has a label if any of them is there") {
  const double nan = std::nan("");
  const auto target = torch::tensor({{1.0, nan}, {nan, nan}, {0.0, 2.0}});
  CHECK(mtl::is_labelled(target).equal(torch::tensor({true, false, true})));
  CHECK(mtl::is_labelled(torch::tensor({3L, -100L, 0L})).equal(torch::tensor({true, false, true})));
}

TEST_CASE("generator: a saved state draws the same numbers again") {
  auto generator = mtl::make_generator(7);
  torch::rand({5}, generator);
  const auto state = mtl::generator_state(generator);
  const auto first = torch::rand({4}, generator);
  mtl::set_generator_state(generator, state);
  CHECK(torch::rand({4}, generator).equal(first));
}

TEST_CASE("mix_seed: neighbouring numbers give unlike seeds") {
  CHECK(mtl::mix_seed(0, 0) != mtl::mix_seed(0, 1));
  CHECK(mtl::mix_seed(0, 1) != mtl::mix_seed(1, 0));
}
