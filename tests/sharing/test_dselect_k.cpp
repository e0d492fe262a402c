#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

mtl::DSelectK selecting(const std::vector<std::string>& tasks, int64_t experts,
                        mtl::DSelectK::Options options) {
  return mtl::DSelectK(mtl::several(experts, [] { return tanh_layer(2, 4); }), tasks_named(tasks),
                       options);
}

}  // namespace

TEST_CASE("DSelectK: predictions, penalty and gradients are the formula's") {
  const auto check = [](const char* name, mtl::DSelectK model) {
    check_golden(name, *model);
    check_golden_penalty(name, *model, model->penalty());
  };
  check("dselect_k_by_task", selecting({"a", "b", "c"}, 4, {.gamma = 0.8, .entropy = 0.3}));
  check("dselect_k_by_task", selecting({"a"}, 4, {.gamma = 0.8, .entropy = 0.3}));
  check("dselect_k_by_sample",
        selecting({"a", "b", "c"}, 3, {.gate_input_size = 2, .gamma = 2.5, .entropy = 0.3}));
}

TEST_CASE("DSelectK: experts are shared, gates are the tasks'; parameters as in the paper") {
  auto by_task = selecting({"a", "b", "c"}, 4, {.selected = 3});
  check_ownership(*by_task);
  CHECK(element_count(by_task->task_parameters("b")) == 3 + 3 * 2 + (4 + 1));
  check_copies(by_task);
  auto by_sample = selecting({"a", "b", "c"}, 4, {.selected = 3, .gate_input_size = 2});
  check_ownership(*by_sample);
  CHECK(element_count(by_sample->task_parameters("b")) == 2 * (3 + 3 * 2) + (4 + 1));
  CHECK(element_count(by_sample->shared_parameters()) == 4 * (2 * 4 + 4));
  check_copies(by_sample);
}

TEST_CASE("DSelectK: codes beyond gamma / 2 choose exactly, and at most `selected` experts") {
  auto model = selecting({"a", "b"}, 4, {.selected = 2});
  torch::NoGradGuard no_grad;
  for (auto& item : model->named_parameters())
    if (item.key() == "gates.a.code")
      item.value().copy_(torch::tensor({{3.0, -3.0}, {-3.0, 3.0}}));  // bits 01 and 10
  const auto weights = model->gate_weights("a");
  CHECK(weights[0].item<double>() == 0);
  CHECK(weights[3].item<double>() == 0);
  CHECK((weights[1] + weights[2]).item<double>() == Approx(1));
  CHECK(model->gate_weights("b").gt(0).all().item<bool>());  // undecided at the start
}

TEST_CASE("DSelectK: an expert that nobody chose does not run") {
  auto model = selecting({"a"}, 4, {.selected = 2});
  {
    const torch::NoGradGuard no_grad;
    for (auto& item : model->named_parameters())
      if (item.key() == "gates.a.code")
        item.value().copy_(torch::tensor({{3.0, -3.0}, {-3.0, 3.0}}));  // bits 01 and 10
  }
  model->forward({{"x", torch::randn({5, 2})}})["a"].sum().backward();
  for (const auto& item : model->named_parameters())
    if (item.key().starts_with("experts.")) {
      const bool chosen = item.key()[8] == '1' || item.key()[8] == '2';
      CHECK(item.value().grad().defined() == chosen);
    }
}

TEST_CASE("DSelectK: gates by sample have no penalty of no samples") {
  auto model = selecting({"a"}, 2, {.gate_input_size = 2});
  model->forward({{"x", torch::zeros({0, 2})}});
  CHECK(model->penalty().item<double>() == 0);
}

TEST_CASE("DSelectK: the penalty makes the gates choose") {
  auto model = selecting({"a", "b"}, 4, {.selected = 1, .entropy = 1});
  torch::optim::Adam adam(model->parameters(), 0.02);
  for (int step = 0; step < 100; ++step) {
    adam.zero_grad();
    model->penalty().backward();
    adam.step();
  }
  CHECK(model->gate_weights("a").gt(0).sum().item<int64_t>() == 1);
}

TEST_CASE("DSelectK: after a batch of no rows, and of frozen gates, the penalty is a number") {
  auto model = selecting({"a", "b"}, 3, {.gate_input_size = 2});
  model->forward({{"x", torch::randn({0, 2})}});
  CHECK(model->penalty().item<double>() == 0);
  for (torch::Tensor& parameter : model->parameters()) parameter.set_requires_grad(false);
  model->forward({{"x", torch::randn({3, 2})}});
  const auto penalty = model->penalty();
  penalty.backward();
  CHECK(penalty.item<double>() > 0);
}

TEST_CASE("DSelectK: experts and options that do not fit are errors") {
  const auto text = [](int64_t experts, mtl::DSelectK::Options options) {
    return error_text([&] {
      selecting({"a"}, experts, options)->forward({{"x", torch::randn({3, 2})}});
    });
  };
  CHECK(contains(text(1, {}), "found 1 experts, expected at least 2"));
  CHECK(contains(text(2, {.selected = 0}), "selected 0"));
  CHECK(contains(text(2, {.gate_input_size = -1}), "gate_input_size -1"));
  CHECK(contains(text(2, {.gate_input_size = 3}),
                 "the gates do not take the input [3, 2]: expected 3 values a sample"));
  const auto of_input = [](const torch::Tensor& x) {
    return error_text([&] { selecting({"a"}, 2, {.gate_input_size = 2})->forward({{"x", x}}); });
  };
  CHECK(contains(of_input(torch::randn({0, 3})), "the input [0, 3]: expected 2 values a sample"));
  CHECK(contains(of_input(torch::ones({3, 2}, torch::kLong)), "[3, 2] of type Long"));
  CHECK(contains(of_input(torch::ones({3, 2}, torch::kDouble)), "[3, 2] of type Double"));
  CHECK(contains(text(2, {.gamma = 0}), "gamma 0"));
  CHECK(contains(text(2, {.entropy = -1}), "entropy -1"));
  const auto one = tanh_layer(2, 4);
  CHECK(contains(error_text([&] {
                   mtl::DSelectK({one, one}, tasks_named({"a"}));
                 }),
                 "experts 0 and 1 are one module"));
  CHECK(contains(error_text([] { selecting({"a"}, 2, {.gate_input_size = 2})->penalty(); }),
                 "call forward first"));
}
