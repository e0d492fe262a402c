#include <cmath>

#include "../golden.hpp"
#include "error_text.hpp"
#include "some_losses.hpp"

using namespace mtl;

namespace {

constexpr auto real = torch::kDouble;

/// The losses of a golden row as leaves, so that their gradients can be read.
std::vector<Tensor> leaves(const nlohmann::json& row) {
  std::vector<Tensor> values;
  for (const auto& value : row)
    values.push_back(torch::tensor(value.get<double>(), real).requires_grad_());
  return values;
}

Tensor gradients(const std::vector<Tensor>& values) {
  std::vector<Tensor> rows;
  for (const Tensor& value : values)
    rows.push_back(value.grad().defined() ? value.grad() : torch::zeros({}, real));
  return torch::stack(rows);
}

void check_close(const Tensor& found, const Tensor& expected, double tolerance = 1e-9) {
  INFO("found\n" << found << "\nexpected\n" << expected);
  CHECK(torch::allclose(found, expected, tolerance, 1e-12));
}

/// Value and gradients to the losses, and to the combiner's parameters where there are any.
void check_step(LossCombiner& combiner, const nlohmann::json& row, const nlohmann::json& expected,
                const std::vector<LossKind>& kinds_of_losses = {}) {
  const std::vector<Tensor> values = leaves(row);
  const Tensor value = combiner.combine(task_losses(values, kinds_of_losses));
  CHECK(value.item<double>() == Approx(expected["value"].get<double>()).epsilon(1e-9));
  value.backward();
  check_close(gradients(values), tensor_of(expected["grad_losses"]));
  if (expected.contains("grad_parameters")) {
    check_close(combiner.parameters().front().grad(), tensor_of(expected["grad_parameters"]));
  }
}

NamedTensors named(const std::string& name, const Tensor& tensor) {
  NamedTensors state;
  state.insert(name, tensor);
  return state;
}

std::vector<double> numbers(const nlohmann::json& values) {
  return values.get<std::vector<double>>();
}

/// Every loss combiner, for properties that all share.
std::vector<std::pair<std::string, std::unique_ptr<LossCombiner>>> all_combiners() {
  std::vector<std::pair<std::string, std::unique_ptr<LossCombiner>>> all;
  const auto add = [&](const std::string& name, auto combiner) {
    all.emplace_back(name, std::make_unique<decltype(combiner)>(std::move(combiner)));
  };
  add("sum", Sum());
  add("mean", Mean());
  add("fixed", FixedWeights({0.5, 2.0, 1.0}));
  add("geometric mean", GeometricMean());
  add("log sum", LogSum());
  add("kendall", KendallUncertainty(tasks_of_kind({true, false, true})));
  add("kendall without tasks", KendallUncertainty());
  add("revised", RevisedUncertainty());
  add("imtl_l", ImtlL());
  add("dwa", DynamicWeightAverage());
  using Distribution = RandomLossWeighting::Distribution;
  for (const auto distribution : {Distribution::normal, Distribution::uniform,
                                  Distribution::dirichlet, Distribution::bernoulli}) {
    add("rlw", RandomLossWeighting({.distribution = distribution, .seed = 3}));
  }
  add("stch", Stch({.mu = 0.5, .weights = {0.2, 0.3, 0.5}, .reference = {0.0, 0.1, 0.0}}));
  add("stch with warm-up", Stch({.warm_up_epochs = 1}));
  add("famo", Famo());
  add("cosmos", Cosmos({.weights = {0.2, 0.3, 0.5}}));
  add("pbi", Pbi());
  return all;
}

}  // namespace

TEST_CASE("Loss combiners: golden values and gradients") {
  for (const auto& c : golden("scalarizers.json")["cases"]) {
    const auto& rows = c["losses"];
    const auto& row = rows[3];
    const auto& expected = c["expected"];
    Sum sum;
    check_step(sum, rows[0], expected["sum"]);
    Mean mean;
    check_step(mean, rows[0], expected["mean"]);
    FixedWeights fixed(numbers(expected["fixed"]["weights"]));
    check_step(fixed, rows[0], expected["fixed"]);
    GeometricMean geometric;
    check_step(geometric, rows[0], expected["geometric_mean"]);

    KendallUncertainty kendall;
    const auto kinds_of_losses = kinds(expected["kendall"]["regression"].get<std::vector<bool>>());
    kendall.load_state_dict(named("log_variance", tensor_of(expected["kendall"]["log_variance"])));
    check_step(kendall, rows[0], expected["kendall"], kinds_of_losses);
    KendallUncertainty half(kinds_of_losses.size(),
                            {.form = KendallUncertainty::Form::every_task_as_regression});
    half.load_state_dict(
        named("log_variance", tensor_of(expected["uncertainty_half"]["log_variance"])));
    check_step(half, rows[0], expected["uncertainty_half"], kinds_of_losses);
    RevisedUncertainty revised;
    revised.load_state_dict(
        named("log_variance", tensor_of(expected["uncertainty_revised"]["log_variance"])));
    check_step(revised, rows[0], expected["uncertainty_revised"]);
    ImtlL imtl_l;
    imtl_l.load_state_dict(named("log_scale", tensor_of(expected["imtl_l"]["log_scale"])));
    check_step(imtl_l, rows[0], expected["imtl_l"]);

    for (const char* name : {"stch_mu_0.1", "stch_mu_1"}) {
      const auto& e = expected[name];
      Stch stch(
          {.mu = e["mu"], .weights = numbers(e["weights"]), .reference = numbers(e["reference"])});
      check_step(stch, rows[0], e);
    }
    Stch warmed({.mu = expected["stch_libmtl_mu_1"]["mu"], .warm_up_epochs = 1});
    warmed.combine(task_losses(leaves(row)));
    warmed.end_epoch();
    warmed.combine(task_losses(leaves(expected["stch_libmtl_mu_1"]["nadir"])));
    warmed.end_epoch();
    check_step(warmed, rows[0], expected["stch_libmtl_mu_1"]);

    const auto& cosmos_case = expected["cosmos"];
    Cosmos cosmos({.weights = numbers(cosmos_case["weights"]), .lambda = cosmos_case["lambda_"]});
    check_step(cosmos, rows[0], cosmos_case);
    const auto& pbi_case = expected["pbi"];
    Pbi pbi({.weights = numbers(pbi_case["weights"]),
             .theta = pbi_case["theta"],
             .reference = numbers(pbi_case["reference"])});
    check_step(pbi, rows[0], pbi_case);
    const Tensor draws = tensor_of(expected["rlw"]["normal_draws"]);
    RandomLossWeighting rlw({.draws = [draws](int64_t) { return draws; }});
    check_step(rlw, rows[0], expected["rlw"]);
  }
}

TEST_CASE("DynamicWeightAverage: golden weights by epoch") {
  for (const auto& c : golden("scalarizers.json")["cases"]) {
    const auto& expected = c["expected"]["dwa"];
    DynamicWeightAverage dwa({.temperature = expected["temperature"]});
    for (size_t epoch = 0; epoch < c["losses"].size(); ++epoch) {
      const Tensor mean = tensor_of(c["losses"][epoch]);
      for (const double factor : {0.5, 1.5}) {  // two steps with the epoch's mean
        const auto row = mean * factor;
        const std::vector<double> step(row.data_ptr<double>(),
                                       row.data_ptr<double>() + row.numel());
        dwa.combine(constant_losses(step));
      }
      check_close(dwa.weights(), tensor_of(expected["weights_by_epoch"][epoch]));
      dwa.end_epoch();
    }
  }
}

TEST_CASE("Famo: golden values, gradients and weights by step") {
  for (const auto& c : golden("scalarizers.json")["cases"]) {
    const auto& expected = c["expected"]["famo"];
    Famo famo({.lr = expected["lr"], .weight_decay = expected["weight_decay"]});
    CHECK(famo.wants_losses_after_step());
    for (size_t step = 0; step < expected["steps"].size(); ++step) {
      check_step(famo, c["losses"][step], expected["steps"][step]);
      famo.after_step(task_losses(leaves(c["losses"][step + 1])));
      const std::vector<double> logits(famo.logits().begin(), famo.logits().end());
      check_close(torch::tensor(logits, torch::kDouble),
                  tensor_of(expected["steps"][step]["logits_after"]));
    }
  }
}

TEST_CASE("Loss combiners: gradients agree with central differences") {
  for (auto& [name, combiner] : all_combiners()) {
    if (name == "rlw") continue;  // draws anew in every step
    INFO(name);
    const std::vector<double> row = {0.7, 1.3, 2.1};
    const TaskLosses losses = constant_losses(row);
    // FAMO's c and DWA's weights are constants of the step: their gradients have golden values.
    if (name == "famo") continue;
    combiner->combine(losses).backward();
    for (size_t t = 0; t < row.size(); ++t) {
      std::vector<double> above = row;
      std::vector<double> below = row;
      above[t] += 1e-6;
      below[t] -= 1e-6;
      const double slope = (combiner->combine(constant_losses(above)).item<double>() -
                            combiner->combine(constant_losses(below)).item<double>()) /
                           2e-6;
      CHECK(losses.values[t].grad().item<double>() == Approx(slope).epsilon(1e-7));
    }
  }
}

TEST_CASE("Loss combiners: a task without labels has no term, and its parameter no gradient") {
  for (auto& [name, combiner] : all_combiners()) {
    INFO(name);
    combiner->combine(constant_losses({0.7, 1.3, 2.1}));  // sizes what is sized at first use
    const TaskLosses losses = constant_losses({0.7, 1.3, 2.1});
    for (Tensor& parameter : combiner->parameters()) parameter.mutable_grad() = Tensor();
    combiner->combine(only(losses, {0, 2})).backward();
    CHECK(losses.values[0].grad().defined());
    CHECK_FALSE(losses.values[1].grad().defined());
    for (const Tensor& parameter : combiner->parameters()) {
      REQUIRE(parameter.grad().sizes() == at::IntArrayRef({3}));
      CHECK(parameter.grad()[1].item<double>() == 0);
      CHECK(parameter.grad()[2].item<double>() != 0);
    }
  }
}

TEST_CASE("Loss combiners: the total for watching changes nothing") {
  for (auto& [name, combiner] : all_combiners()) {
    INFO(name);
    const TaskLosses losses = constant_losses({0.7, 1.3, 2.1});
    const double before_the_first_step = combiner->total(losses).item<double>();
    CHECK(std::isfinite(before_the_first_step));
    const NamedTensors before = combiner->state_dict();
    CHECK(combiner->total(losses).item<double>() == before_the_first_step);
    const NamedTensors after = combiner->state_dict();
    REQUIRE(after.size() == before.size());
    for (const auto& item : before) CHECK(after[item.key()].equal(item.value()));
  }
  const TaskLosses losses = constant_losses({2.0, 4.0}, kinds({true, false}));
  KendallUncertainty kendall(2);
  kendall.load_state_dict(named("log_variance", torch::tensor({1.0, -1.0})));
  CHECK(kendall.total(losses).item<double>() == Approx(std::exp(-1) + 4 * std::exp(1)));
  CHECK(FixedWeights({1.0, 0.5}).total(losses).item<double>() == Approx(4));
  CHECK(DynamicWeightAverage().total(losses).item<double>() == Approx(6));
}

TEST_CASE("Loss combiners: one task") {
  for (auto& combiner : {std::shared_ptr<LossCombiner>(std::make_shared<Pbi>()),
                         std::shared_ptr<LossCombiner>(std::make_shared<Cosmos>()),
                         std::shared_ptr<LossCombiner>(std::make_shared<Famo>())}) {
    const TaskLosses losses = constant_losses({0.5});
    combiner->combine(losses).backward();
    CHECK(std::isfinite(losses.values[0].grad().item<double>()));
  }
}

TEST_CASE("Loss combiners: a saved state continues to the bit") {
  const auto epoch = [](LossCombiner& combiner, double scale) {
    std::vector<double> values;
    for (int step = 0; step < 3; ++step) {
      const TaskLosses losses = constant_losses({scale * (1 + step), 2.0 / scale, 0.3 + step});
      values.push_back(combiner.combine(losses).item<double>());
      if (combiner.wants_losses_after_step()) {
        combiner.after_step(constant_losses({scale * (2 + step), 1.5 / scale, 0.2 + step}));
      }
    }
    combiner.end_epoch();
    return values;
  };
  auto originals = all_combiners();
  auto copies = all_combiners();
  for (size_t i = 0; i < originals.size(); ++i) {
    INFO(originals[i].first);
    LossCombiner& original = *originals[i].second;
    LossCombiner& copy = *copies[i].second;
    for (const double scale : {1.0, 0.8, 0.5}) epoch(original, scale);
    original.combine(constant_losses({1.0, 2.0, 3.0}));  // in the middle of an epoch
    if (original.wants_losses_after_step()) original.after_step(constant_losses({1.0, 1.9, 2.0}));
    copy.load_state_dict(original.state_dict());
    CHECK(epoch(copy, 0.4) == epoch(original, 0.4));
    CHECK(epoch(copy, 0.3) == epoch(original, 0.3));
  }
}

TEST_CASE("Loss combiners: parameters made before the first step follow the losses' type") {
  KendallUncertainty kendall;
  const Tensor held = kendall.parameters().front();  // as an optimizer holds it
  const TaskLosses losses = constant_losses({1.0, 2.0});
  kendall.combine(losses).backward();
  CHECK(held.sizes() == at::IntArrayRef({2}));
  CHECK(held.scalar_type() == real);
  REQUIRE(held.grad().defined());
  check_close(held.grad(), torch::tensor({0.5 - 0.5 * 1.0, 0.5 - 0.5 * 2.0}, real));
  torch::optim::SGD sgd({held}, 1.0);
  sgd.step();
  check_close(kendall.parameters().front().detach(), torch::tensor({0.0, 0.5}, real));
}

TEST_CASE("RandomLossWeighting: weights are on the simplex, and the seed decides") {
  using Distribution = RandomLossWeighting::Distribution;
  for (const auto distribution : {Distribution::normal, Distribution::uniform,
                                  Distribution::dirichlet, Distribution::bernoulli}) {
    RandomLossWeighting a({.distribution = distribution, .seed = 5});
    RandomLossWeighting b({.distribution = distribution, .seed = 5});
    Tensor mean = torch::zeros({3}, real);
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
    CHECK(torch::allclose(mean, torch::full({3}, 1.0 / 3, real), 0, 0.1));
  }
}

TEST_CASE("Loss combiners: wrong options, counts and losses are Errors") {
  CHECK(contains(error_text([] { FixedWeights({}); }), "no weight"));
  CHECK(contains(error_text([] { FixedWeights({1.0, std::nan("")}); }), "finite"));
  CHECK(contains(error_text([] { DynamicWeightAverage({.temperature = 0}); }), "temperature"));
  CHECK(contains(error_text([] { Stch({.mu = -1}); }), "mu"));
  CHECK(contains(error_text([] { Famo({.lr = 0}); }), "lr"));
  CHECK(contains(error_text([] { Pbi({.theta = -1}); }), "theta"));
  FixedWeights two({1.0, 2.0});
  CHECK(contains(error_text([&] {
                   two.combine(constant_losses({1.0, 2.0, 3.0}));
                 }),
                 "2 fixed weights, but 3 tasks"));
  GeometricMean geometric;
  CHECK(contains(error_text([&] {
                   geometric.combine(constant_losses({1.0, 0.0}));
                 }),
                 "task \"1\""));
  Famo famo;
  CHECK(contains(error_text([&] { famo.after_step(constant_losses({1.0})); }), "without a step"));
  KendallUncertainty kendall(tasks_of_kind({true, true}));
  CHECK(contains(error_text([&] { kendall.load_state_dict(named("logits", torch::zeros({2}))); }),
                 "log_variance"));
  CHECK(contains(
      error_text([&] { kendall.load_state_dict(named("log_variance", torch::zeros({3}))); }),
      "[3]"));
}

TEST_CASE("RLW: random scalarization is distribution=dirichlet, uniform on the simplex") {
  RandomLossWeighting combiner(
      {.distribution = RandomLossWeighting::Distribution::dirichlet, .seed = 11});
  constexpr int64_t count = 4000;
  std::vector<Tensor> drawn;
  for (int64_t k = 0; k < count; ++k) {
    const std::vector<Tensor> values = leaves(nlohmann::json{1.0, 1.0, 1.0});
    combiner.combine(task_losses(values)).backward();
    drawn.push_back(gradients(values));
  }
  const Tensor weights = torch::stack(drawn);  // [4000, 3]
  CHECK(weights.min().item<double>() >= 0);
  check_close(weights.sum(1), torch::ones({count}, real));
  // Each coordinate has the density 2 (1 - w): mean 1/3, variance 1/18, below 1/2 with chance 3/4.
  check_close(weights.mean(0), torch::full({3}, 1.0 / 3, real), 0.03);
  check_close(weights.var(0), torch::full({3}, 1.0 / 18, real), 0.1);
  check_close(weights.lt(0.5).to(real).mean(0), torch::full({3}, 0.75, real), 0.03);
  CHECK_FALSE(torch::equal(weights[0], weights[1]));
}
