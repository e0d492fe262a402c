#include "mtl/core/core.hpp"

#include "catch.hpp"
#include "error_text.hpp"

TEST_CASE("is_labelled: a row of real values has a label if any of them is there") {
  const double nan = std::nan("");
  const auto target = torch::tensor({{1.0, nan}, {nan, nan}, {0.0, 2.0}});
  CHECK(mtl::is_labelled(target).equal(torch::tensor({true, false, true})));
  CHECK(mtl::is_labelled(torch::tensor({3L, -100L, 0L})).equal(torch::tensor({true, false, true})));
}

TEST_CASE("without_left_out_rows: a tensor of another number of rows is an Error that names it") {
  mtl::Batch batch{.inputs = {{"x", torch::ones({3, 2})}},
                   .targets = {{"a", torch::ones({3})}, {"b", torch::ones({2})}},
                   .sample_weights = torch::tensor({1.0, 0.0, 1.0})};
  CHECK(contains(error_text([&] { mtl::without_left_out_rows(batch); }),
                 "target \"b\" has shape [2] in a batch of 3 samples"));
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

TEST_CASE(
    "generator: a state that is none of a generator is an Error, one that is strided is taken") {
  auto generator = mtl::make_generator(7);
  const auto state = mtl::generator_state(generator);
  const auto first = torch::rand({4}, generator);
  for (const auto& wrong : {torch::zeros({7}, torch::kByte), state.to(torch::kFloat)})
    CHECK(contains(error_text([&] { mtl::set_generator_state(generator, wrong); }),
                   "the state of a generator, ["));
  mtl::set_generator_state(generator, torch::stack({state, state}, 1).select(1, 0));
  CHECK(torch::rand({4}, generator).equal(first));
}

TEST_CASE("draw_seed: a saved generator draws the same seed again, then others") {
  auto generator = mtl::make_generator(7);
  const auto state = mtl::generator_state(generator);
  const auto first = mtl::draw_seed(generator);
  CHECK(mtl::draw_seed(generator) != first);
  mtl::set_generator_state(generator, state);
  CHECK(mtl::draw_seed(generator) == first);
}

TEST_CASE("uniforms: element i comes from the first bits of mix_seed(seed, i)") {
  const auto draws = mtl::uniforms(5, torch::empty({3, 4}, torch::kDouble));
  REQUIRE(draws.sizes() == torch::IntArrayRef({3, 4}));
  for (int64_t i = 0; i < 12; ++i) {
    const double expected = std::ldexp(static_cast<double>(mtl::mix_seed(5, i) >> 11), -53);
    CHECK(draws.flatten()[i].item<double>() == expected);
  }
}

TEST_CASE("uniforms: below one in every type, and spread evenly") {
  for (const auto type : {torch::kDouble, torch::kFloat, torch::kHalf, torch::kBFloat16}) {
    const auto draws = mtl::uniforms(1, torch::empty({100000}, type));
    REQUIRE(draws.scalar_type() == type);
    const auto numbers = draws.to(torch::kDouble);
    CHECK(numbers.min().item<double>() >= 0);
    CHECK(numbers.max().item<double>() < 1);
    CHECK(numbers.mean().item<double>() == Approx(0.5).margin(0.01));
    CHECK(numbers.var().item<double>() == Approx(1.0 / 12).margin(0.002));
  }
}
