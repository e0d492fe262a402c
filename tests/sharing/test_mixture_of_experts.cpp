#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

mtl::MixtureOfExperts mixture(const std::vector<std::string>& tasks, int64_t experts = 3) {
  return mtl::MixtureOfExperts(mtl::several(experts, [] { return tanh_layer(2, 4); }),
                               tasks_named(tasks), {.gate_input_size = 2});
}

}  // namespace

TEST_CASE("MixtureOfExperts: predictions and gradients are the formula's, also of one task") {
  check_golden("mixture_of_experts", *mixture({"a", "b", "c"}));
  check_golden("mixture_of_experts", *mixture({"a"}));
}

TEST_CASE("MixtureOfExperts: experts are shared, a gate is its task's, without bias") {
  auto model = mixture({"a", "b", "c"});
  check_ownership(*model);
  CHECK(element_count(model->shared_parameters()) == 3 * (2 * 4 + 4));
  CHECK(element_count(model->task_parameters("c")) == 2 * 3 + (4 + 1));
  CHECK_FALSE(model->representation().defined());
  check_copies(model);
}

TEST_CASE("MixtureOfExperts: one expert is hard sharing") {
  auto model = mixture({"a", "b"}, 1);
  mtl::HardSharing hard(tanh_layer(2, 4), mtl::clone(model->tasks()));
  auto weights = mtl::nn::weights(*hard);
  for (const auto& item : mtl::nn::weights(*model))
    if (item.key().starts_with("experts.0"))
      weights["encoder" + item.key().substr(9)].copy_(item.value());
  const auto x = torch::randn({3, 2});
  CHECK(model->forward({{"x", x}})["b"].allclose(hard->forward({{"x", x}})["b"]));
}

TEST_CASE("MixtureOfExperts: tells what each task took; a row of gate weights sums to 1") {
  auto model = mixture({"a", "b"});
  model->forward({{"x", torch::randn({5, 2})}});
  const auto& weights = model->gate_weights();
  REQUIRE(weights.keys() == std::vector<std::string>{"a", "b"});
  CHECK(weights["b"].sizes() == torch::IntArrayRef({5, 3}));
  CHECK(weights["b"].sum(1).allclose(torch::ones({5})));
}

TEST_CASE("MixtureOfExperts: gates see inputs of any shape, flattened") {
  mtl::MixtureOfExperts model(mtl::several(2,
                                           [] {
                                             return torch::nn::Sequential(torch::nn::Conv2d(
                                                 torch::nn::Conv2dOptions(1, 4, 3)));
                                           }),
                              {{.name = "map",
                                .head = torch::nn::Conv2d(torch::nn::Conv2dOptions(4, 1, 1)),
                                .loss = mtl::MeanSquaredError{}}},
                              {.gate_input_size = 36});
  CHECK(model->forward({{"x", torch::randn({2, 1, 6, 6})}})["map"].sizes() ==
        torch::IntArrayRef({2, 1, 4, 4}));
}

TEST_CASE("MixtureOfExperts: experts or gates that do not fit are errors") {
  const auto text = [](std::vector<mtl::Encoder> experts, int64_t size) {
    return error_text([&] {
      mtl::MixtureOfExperts(std::move(experts), tasks_named({"a"}), {.gate_input_size = size})
          ->forward({{"x", torch::randn({3, 2})}});
    });
  };
  const auto one = tanh_layer(2, 4);
  CHECK(contains(text({}, 2), "no expert"));
  CHECK(contains(text({one, one}, 2), "experts 0 and 1 are one module"));
  CHECK(contains(text({tanh_layer(2, 4), tanh_layer(2, 5)}, 2),
                 "expert 1 gives [3, 5], and expert 0 [3, 4]"));
  CHECK(contains(text({tanh_layer(2, 4)}, 0), "give gate_input_size"));
  const auto width = text({tanh_layer(2, 4)}, 3);
  CHECK(contains(width, "the gate of task \"a\" does not take the input [3, 2]"));
  CHECK(contains(width, "expected 3 values a sample"));
}

TEST_CASE("MixtureOfExperts: experts that give one number a sample say so") {
  const auto number = [] {
    return torch::nn::Sequential(torch::nn::Linear(2, 1),
                                 torch::nn::Flatten(torch::nn::FlattenOptions().start_dim(0)));
  };
  mtl::MixtureOfExperts model(mtl::several(2, number), tasks_named({"a"}), {.gate_input_size = 2});
  CHECK(contains(error_text([&] {
                   model->forward({{"x", torch::randn({3, 2})}});
                 }),
                 "the experts give [3], expected [N, ...]"));
}
