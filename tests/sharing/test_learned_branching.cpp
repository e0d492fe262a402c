#include <algorithm>

#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

mtl::LearnedBranching branching(const std::vector<std::string>& tasks, double temperature = 1) {
  return mtl::LearnedBranching({mtl::several(2, [] { return tanh_layer(2, 4); }),
                                mtl::several(3, [] { return tanh_layer(4, 4); })},
                               tasks_named(tasks), {.temperature = temperature});
}

/// The weights that Gumbel noise from the global generator gives to equal logits.
torch::Tensor drawn(int64_t choices, double temperature) {
  const auto noise = -(-torch::rand({choices}).log()).log();
  return (noise / temperature).softmax(0);
}

}  // namespace

TEST_CASE("LearnedBranching: in evaluation mode the largest logits decide") {
  auto model = branching({"a", "b", "c"});
  model->eval();
  check_golden("learned_branching", *model);
}

TEST_CASE("LearnedBranching: in training mode nodes read a Gumbel-softmax mixture") {
  auto model = branching({"a", "b"}, 0.7);
  const auto x = torch::randn({3, 2});
  torch::manual_seed(5);
  const auto found = model->forward({{"x", x}});
  torch::manual_seed(5);
  const auto run = [&](int l, int i, const torch::Tensor& input) {
    const auto weights = model->named_parameters();
    const std::string name = "nodes." + std::to_string(l) + "." + std::to_string(i) + ".layers.0.";
    return torch::tanh(
        torch::nn::functional::linear(input, weights[name + "weight"], weights[name + "bias"]));
  };
  const std::vector<torch::Tensor> first = {run(0, 0, x), run(0, 1, x)};
  std::vector<torch::Tensor> second;
  for (int i = 0; i < 3; ++i) {
    const auto d = drawn(2, 0.7);
    second.push_back(run(1, i, d[0] * first[0] + d[1] * first[1]));
  }
  for (int64_t t = 0; t < 2; ++t) {
    const auto d = drawn(3, 0.7);
    const auto h = d[0] * second[0] + d[1] * second[1] + d[2] * second[2];
    CHECK(found[model->tasks()[t].name].allclose(model->tasks()[t].head.forward(h), 1e-5, 1e-6));
  }
}

TEST_CASE("LearnedBranching: a task's choice is its own, nodes and their choices are shared") {
  auto model = branching({"a", "b", "c"});
  check_ownership(*model);
  CHECK(element_count(model->task_parameters("b")) == 3 + (4 + 1));
  CHECK(element_count(model->shared_parameters()) == 2 * 12 + 3 * 20 + 3 * 2);
  check_copies(model);
}

TEST_CASE("LearnedBranching: learns to part tasks that a node cannot serve together") {
  torch::manual_seed(2);
  // One number of the input each passes a node; both tasks through one node would mix them.
  mtl::LearnedBranching model({mtl::several(2, [] { return torch::nn::Linear(2, 1); })},
                              tasks_named({"a", "b"}, 1), {.temperature = 2});
  torch::optim::Adam adam(model->parameters(), 0.03);
  for (int step = 0; step < 800; ++step) {
    model->set_temperature(std::max(0.2, 2 - step * 0.0025));
    const auto x = torch::randn({64, 2});
    const auto out = model->forward({{"x", x}});
    adam.zero_grad();
    ((out["a"] - x.slice(1, 0, 1)).square().mean() + (out["b"] - x.slice(1, 1, 2)).square().mean())
        .backward();
    adam.step();
  }
  const auto chosen = model->choices().of_tasks;
  CHECK(chosen[0] != chosen[1]);
}

TEST_CASE("LearnedBranching: one node a level is an encoder in stages") {
  const auto first = tanh_layer(2, 4), second = tanh_layer(4, 4);
  mtl::LearnedBranching model({{first}, {second}}, tasks_named({"a"}));
  const auto x = torch::randn({3, 2});
  CHECK(model->forward({{"x", x}})["a"].allclose(model->tasks()[0].head.forward(
      mtl::Encoder(second).forward(mtl::Encoder(first).forward(x)))));
}

TEST_CASE("LearnedBranching: levels and options that do not fit are errors") {
  const auto text = [](std::vector<mtl::Stages> levels, double temperature = 1) {
    return error_text([&] {
      mtl::LearnedBranching(std::move(levels), tasks_named({"a"}), {.temperature = temperature})
          ->forward({{"x", torch::randn({3, 2})}});
    });
  };
  CHECK(contains(text({}), "no level"));
  CHECK(contains(text({{tanh_layer(2, 4)}, {}}), "level 1 has no nodes"));
  CHECK(contains(text({{tanh_layer(2, 4)}}, 0), "temperature 0"));
  const auto one = tanh_layer(2, 4);
  CHECK(contains(text({{one, one}}), "are one module"));
  CHECK(contains(text({{tanh_layer(2, 4), tanh_layer(2, 5)}}),
                 "node 1 of level 0 gives [3, 5], and node 0 of level 0 [3, 4]"));
}

TEST_CASE("LearnedBranching: a temperature next to 0 chooses one node, without NaN") {
  torch::manual_seed(1);
  auto model = branching({"a", "b"});
  for (const double temperature : {1e-40, 1e-300}) {
    model->set_temperature(temperature);
    const auto predictions = model->forward({{"x", torch::randn({3, 2})}});
    CHECK(predictions["a"].isfinite().all().item<bool>());
    (predictions["a"] + predictions["b"]).sum().backward();
    for (const auto& parameter : model->parameters())
      if (parameter.grad().defined()) CHECK(parameter.grad().isfinite().all().item<bool>());
  }
}
