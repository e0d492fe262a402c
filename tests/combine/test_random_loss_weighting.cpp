#include "loss_checks.hpp"

using namespace loss_checks;

namespace {

using Distribution = RandomLossWeighting::Distribution;
const std::vector<Distribution> distributions = {Distribution::normal, Distribution::uniform,
                                                 Distribution::dirichlet, Distribution::bernoulli};

}  // namespace

TEST_CASE("RandomLossWeighting: golden values and gradients") {
  for_each_golden_case("rlw", [](const TaskLosses& losses, const nlohmann::json& expected) {
    const Tensor draws = tensor_of(expected["normal_draws"]);
    RandomLossWeighting rlw({.draws = [draws](int64_t) { return draws; }});
    check_step(rlw, losses, expected);
  });
}

TEST_CASE("RandomLossWeighting: weights are on the simplex, and the seed decides") {
  for (const auto distribution : distributions) {
    RandomLossWeighting a({.distribution = distribution, .seed = 5});
    RandomLossWeighting b({.distribution = distribution, .seed = 5});
    Tensor mean = torch::zeros({3}, torch::kDouble);
    for (int step = 0; step < 300; ++step) {
      const TaskLosses losses = constant_losses({1.0, 2.0, 3.0});
      const Tensor value = a.combine(losses);
      CHECK(value.item<double>() == b.combine(losses).item<double>());
      value.backward();
      const Tensor weights = gradients(losses.values);
      CHECK(weights.ge(0).all().item<bool>());
      CHECK(weights.sum().item<double>() == Approx(1));
      mean += weights / 300;
    }
    CHECK(torch::allclose(mean, torch::full({3}, 1.0 / 3, torch::kDouble), 0, 0.1));
  }
}

TEST_CASE("RandomLossWeighting: dirichlet is uniform on the simplex") {
  RandomLossWeighting combiner({.distribution = Distribution::dirichlet, .seed = 11});
  constexpr int64_t count = 4000;
  std::vector<Tensor> drawn;
  for (int64_t k = 0; k < count; ++k) {
    const TaskLosses losses = constant_losses({1.0, 1.0, 1.0});
    combiner.combine(losses).backward();
    drawn.push_back(gradients(losses.values));
  }
  const Tensor weights = torch::stack(drawn);  // [4000, 3]
  CHECK(weights.min().item<double>() >= 0);
  check_close(weights.sum(1), torch::ones({count}, torch::kDouble));
  // Each coordinate has the density 2 (1 - w): mean 1/3, variance 1/18, below 1/2 with chance 3/4.
  check_close(weights.mean(0), torch::full({3}, 1.0 / 3, torch::kDouble), 0.03);
  check_close(weights.var(0), torch::full({3}, 1.0 / 18, torch::kDouble), 0.1);
  check_close(weights.lt(0.5).to(torch::kDouble).mean(0), torch::full({3}, 0.75, torch::kDouble),
              0.03);
  CHECK_FALSE(torch::equal(weights[0], weights[1]));
}

TEST_CASE("RandomLossWeighting: states, and a refused step draws nothing") {
  for (const auto distribution : distributions) {
    check_resume([&] {
      return std::make_unique<RandomLossWeighting>(
          RandomLossWeighting::Options{.distribution = distribution, .seed = 3});
    });
  }
  RandomLossWeighting rlw;
  const Tensor before = rlw.state_dict()["generator"];
  CHECK(contains(error_text([&] {
                   rlw.combine(constant_losses({1.0, not_a_number}));
                 }),
                 "task \"1\""));
  CHECK(torch::equal(rlw.state_dict()["generator"], before));
  CHECK(contains(error_text([&] { rlw.load_state_dict(NamedTensors()); }), "\"generator\""));
  CHECK(rlw.combine(only(constant_losses({1.0, 5.0, 1.0}), {0, 2})).item<double>() == Approx(1));
}

TEST_CASE("RandomLossWeighting: draws that are none are an Error") {
  const auto error = [](Distribution distribution, const Tensor& draws) {
    RandomLossWeighting rlw(
        {.distribution = distribution, .draws = [draws](int64_t) { return draws; }});
    return error_text([&] { rlw.combine(constant_losses({1.0, 2.0})); });
  };
  CHECK(contains(error(Distribution::normal, torch::zeros({3})), "gave [3]"));
  CHECK(contains(error(Distribution::normal, Tensor()), "gave nothing"));
  CHECK(contains(error(Distribution::normal, torch::full({2}, infinity)), "finite"));
  CHECK(contains(error(Distribution::bernoulli, torch::ones({2})), "chose no task"));
}

TEST_CASE("RandomLossWeighting: a copy draws by itself, from where the other is") {
  const auto drawn = [](RandomLossWeighting& rlw) {
    return rlw.combine(constant_losses({1.0, 2.0, 4.0})).item<double>();
  };
  RandomLossWeighting first;
  drawn(first);
  RandomLossWeighting second = first, third;
  third = first;
  const double next = drawn(first);
  CHECK(drawn(second) == next);
  CHECK(drawn(third) == next);
}
