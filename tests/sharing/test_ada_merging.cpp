#include "error_text.hpp"
#include "merging_rule.hpp"
#include "way_checks.hpp"

namespace {

const std::vector<std::pair<std::string, std::vector<int64_t>>> ada_net = {
    {"encoder.layers.0.weight", {4, 3}},
    {"encoder.layers.0.bias", {4}},
    {"encoder.layers.1.weight", {4, 4}},
    {"encoder.layers.1.bias", {4}}};
const std::vector<std::pair<std::string, std::vector<int64_t>>> ada_heads = {
    {"heads.kind.weight", {3, 4}},
    {"heads.kind.bias", {3}},
    {"heads.flags.weight", {2, 4}},
    {"heads.flags.bias", {2}}};

struct AdaProblem {
  mtl::HardSharing model{nullptr};
  mtl::NamedTensors start;
  std::vector<mtl::NamedTensors> tuned{2};
  int64_t step = 0;

  AdaProblem() {
    model = mtl::HardSharing(
        mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {4, 4}}),
        {{.name = "kind", .head = mtl::nn::LinearHead(4, 3), .loss = mtl::CrossEntropy{}},
         {.name = "flags", .head = mtl::nn::LinearHead(4, 2), .loss = mtl::BinaryCrossEntropy{}}});
    model->to(torch::kDouble);
    auto parameters = model->named_parameters();
    const torch::NoGradGuard no_grad;
    for (size_t k = 0; k < ada_heads.size(); ++k)
      parameters[ada_heads[k].first].copy_(
          merging_rule(5, static_cast<int64_t>(k), ada_heads[k].second));
    for (size_t k = 0; k < ada_net.size(); ++k) {
      const auto& [name, shape] = ada_net[k];
      start.insert(name, merging_rule(0, static_cast<int64_t>(k), shape));
      for (size_t m = 0; m < 2; ++m)
        tuned[m].insert(name, start[name] + 0.2 * merging_rule(static_cast<int64_t>(m + 1),
                                                               static_cast<int64_t>(k), shape));
    }
  }

  mtl::AdaMerging::Result merge(const mtl::AdaMerging& options) {
    const auto x = torch::sin(0.7 * torch::arange(30, torch::kDouble) + 0.5).view({5, 2, 3});
    return options(
        model, start, tuned,
        [&] {
          return mtl::NamedTensors{{"x", x[step++ % 5]}};
        },
        [](const mtl::NamedTensors& p) {
          return mtl::softmax_entropy(p["kind"]).mean() + mtl::sigmoid_entropy(p["flags"]).mean();
        });
  }
};

}  // namespace

TEST_CASE("AdaMerging: coefficients, objective and weights are those of the paper's formulas") {
  for (const auto& expected : golden("merging.json")) {
    if (expected["name"] != "ada_merging") continue;
    const bool by_layer = expected["options"]["by"] == "layer";
    INFO(expected["options"].dump());
    AdaProblem problem;
    const auto found =
        problem.merge({.by = by_layer ? mtl::AdaMerging::By::layer : mtl::AdaMerging::By::task,
                       .learning_rate = expected["options"]["learning_rate"],
                       .steps = expected["options"]["steps"]});
    CHECK(found.layers == expected["layers"].get<std::vector<std::string>>());
    CHECK(found.coefficients.allclose(tensor_of(expected["coefficients"]), 1e-9, 1e-10));
    CHECK(torch::tensor(found.objective, torch::kDouble)
              .allclose(tensor_of(expected["objective"]), 1e-9, 1e-10));
    const auto of_model = mtl::nn::weights(*problem.model);
    for (const auto& [name, values] : expected["merged"].items()) {
      INFO(name);
      CHECK(found.weights[name].flatten().allclose(tensor_of(values), 1e-9, 1e-10));
      CHECK(of_model[name].equal(found.weights[name]));
    }
  }
}

TEST_CASE("AdaMerging: without a step it is task arithmetic; with many the model is surer") {
  AdaProblem none, many;
  const auto start = none.merge({.steps = 0});
  const auto arithmetic = mtl::TaskArithmetic{}(none.start, none.tuned);
  for (const auto& item : start.weights)
    CHECK(item.value().allclose(arithmetic[item.key()], 1e-13, 1e-14));
  CHECK(start.objective.empty());
  const auto found = many.merge({.learning_rate = 0.05, .steps = 60});
  CHECK(found.objective[55] < found.objective[0]);  // the same batch
}

TEST_CASE("AdaMerging: mode and frozen parameters are as before; integers are the start's") {
  mtl::HardSharing model(
      torch::nn::Sequential(torch::nn::Linear(2, 4), torch::nn::BatchNorm1d(4)),
      {{.name = "a", .head = mtl::nn::LinearHead(4, 3), .loss = mtl::CrossEntropy{}}});
  const auto start = mtl::nn::cloned(mtl::shared_weights(model));
  auto tuned = mtl::nn::cloned(start);
  tuned["encoder.0.weight"].add_(1);
  tuned["encoder.1.running_mean"].add_(1);
  tuned["encoder.1.num_batches_tracked"].add_(5);
  mtl::freeze(model, "encoder.0");
  model->train();
  const auto found = mtl::AdaMerging{.learning_rate = 0.1, .steps = 3}(
      model, start, {tuned, start},
      [] {
        return mtl::NamedTensors{{"x", torch::ones({4, 2})}};
      },
      [](const mtl::NamedTensors& p) { return mtl::softmax_entropy(p["a"]).mean(); });
  CHECK(model->is_training());
  CHECK(model->encoder().module()->is_training());
  CHECK_FALSE(model->named_parameters()["encoder.0.weight"].requires_grad());
  CHECK(model->named_parameters()["encoder.1.weight"].requires_grad());
  CHECK(found.weights["encoder.1.running_mean"].allclose(start["encoder.1.running_mean"] + 0.5));
  CHECK(found.weights["encoder.1.num_batches_tracked"].item<int64_t>() == 0);
  CHECK(found.layers == std::vector<std::string>{"encoder.0", "encoder.1"});
  CHECK(found.coefficients[0][0].item<double>() != 0.3);
  CHECK(found.coefficients[1][0].item<double>() == 0.3);  // a task vector of zeros has no slope
  CHECK(found.coefficients[0][1].item<double>() == 0.3);  // nor has it in this layer
}

TEST_CASE("AdaMerging: an error leaves the model as it was") {
  AdaProblem problem;
  const auto before = mtl::clone(problem.model);
  const auto failing = [&](const mtl::AdaMerging::Objective& objective) {
    return error_text([&] {
      mtl::AdaMerging{.steps = 2}(
          problem.model, problem.start, problem.tuned,
          [] {
            return mtl::NamedTensors{{"x", torch::ones({2, 3}, torch::kDouble)}};
          },
          objective);
    });
  };
  CHECK(contains(failing([](const auto& p) { return p["kind"]; }), "[2, 3], expected one number"));
  CHECK(
      contains(failing([](const auto&) { return torch::ones({}); }), "depends on the predictions"));
  CHECK(contains(failing([](const auto& p) { return p["kind"].sum() / 0.0; }), "objective is"));
  CHECK(contains(error_text([&] { problem.merge({.steps = -1}); }), "-1 steps"));
  CHECK(contains(error_text([&] { problem.merge({.learning_rate = 0}); }), "learning_rate 0"));
  CHECK(same_weights(*problem.model, *before));
  problem.start.insert("encoder.more", torch::zeros({1}));
  for (auto& tuned : problem.tuned) tuned.insert("encoder.more", torch::zeros({1}));
  CHECK(contains(error_text([&] { problem.merge({}); }), "the model has no \"encoder.more\""));
  CHECK(same_weights(*problem.model, *before));
  CHECK(problem.model->is_training());
}

TEST_CASE("entropies: of even scores log C and log 2, of sure ones 0, gradients finite") {
  CHECK(mtl::softmax_entropy(torch::zeros({2, 5, 3})).allclose(torch::full({2, 3}, std::log(5.0))));
  CHECK(mtl::sigmoid_entropy(torch::zeros({2, 3})).allclose(torch::full({2, 3}, std::log(2.0))));
  auto sure = torch::tensor({{500.0, -500.0}});
  sure.set_requires_grad(true);
  const auto sum = mtl::softmax_entropy(sure).sum() + mtl::sigmoid_entropy(sure).sum();
  CHECK(sum.item<double>() == Approx(0).margin(1e-12));
  sum.backward();
  CHECK(sure.grad().isfinite().all().item<bool>());
  CHECK(contains(error_text([] { mtl::softmax_entropy(torch::zeros({3})); }), "[N, C, ...]"));
}

TEST_CASE("AdaMerging: the start may be the model's own weights, in double precision, too") {
  const AdaProblem given;
  const auto weights_from = [&](bool own) {
    AdaProblem problem;
    mtl::nn::copy_weights(problem.start, [&](const auto& name) { return given.start.find(name); });
    auto places = mtl::shared_weights(problem.model);
    mtl::nn::copy_weights(places, [&](const auto& name) { return given.start.find(name); });
    if (own) problem.start = places;
    return problem.merge({.steps = 4}).weights;
  };
  const mtl::NamedTensors of_own = weights_from(true), of_copies = weights_from(false);
  for (const auto& item : of_copies) CHECK(of_own[item.key()].equal(item.value()));
}
