#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/mtl.hpp"

namespace {

mtl::TaskRegistry tasks_called(const std::vector<std::string>& names) {
  mtl::TaskRegistry tasks;
  for (const auto& name : names)
    tasks.add({.name = name, .head = mtl::nn::LinearHead(4, 1), .loss = mtl::MeanSquaredError{}});
  return tasks;
}

mtl::HardSharing model_of(const std::vector<std::string>& names) {
  return mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 2, .hidden_sizes = {4}}),
                          tasks_called(names));
}

/// Steps on "a" and "b" with batches by number.
void steps(mtl::Model& model, torch::optim::Optimizer& optimizer, int64_t from, int64_t to) {
  mtl::Sum combiner;
  for (int64_t step = from; step < to; ++step) {
    const auto x = torch::sin(torch::arange(12, torch::kFloat) + step).view({6, 2});
    const mtl::Batch batch{{{"x", x}}, {{"a", x.sum(1)}, {"b", x.prod(1)}}};
    optimizer.zero_grad();
    combiner.backward(mtl::task_losses(model, model.forward(batch.inputs), batch), model);
    optimizer.step();
  }
}

void check_same(const mtl::Model& found, const mtl::Model& expected) {
  const auto of_expected = expected.named_parameters(), of_found = found.named_parameters();
  for (const auto& item : of_expected)
    if (const auto* other = of_found.find(item.key())) CHECK(other->equal(item.value()));
}

template <class Optimizer, class Options>
void goes_on_as_if_never_there(Options options) {
  torch::manual_seed(1);
  auto model = model_of({"a", "c", "b"});  // no batch has labels of c
  auto undisturbed = mtl::clone(model);
  Optimizer all(undisturbed->parameters(), options);
  steps(undisturbed, all, 0, 8);

  Optimizer first(model->parameters(), options);
  steps(model, first, 0, 4);
  auto [smaller, kept] = mtl::drop_task(model, "c");
  Optimizer second(smaller->parameters(), options);
  mtl::carry_optimizer_state(first, second, kept);
  steps(smaller, second, 4, 6);
  auto [larger, kept_again] = mtl::add_task(smaller, tasks_called({"d"})[0]);
  Optimizer third(larger->parameters(), options);
  mtl::carry_optimizer_state(second, third, kept_again);
  steps(larger, third, 6, 8);
  check_same(*larger, *undisturbed);
}

}  // namespace

TEST_CASE("carry_optimizer_state: training goes on to the bit when tasks go and come") {
  goes_on_as_if_never_there<torch::optim::Adam>(torch::optim::AdamOptions(1e-2).amsgrad(true));
  goes_on_as_if_never_there<torch::optim::SGD>(torch::optim::SGDOptions(1e-2).momentum(0.9));
}

TEST_CASE(
    "carry_optimizer_state: rates are the new optimizer's, the old one keeps what is its own") {
  torch::manual_seed(2);
  auto model = model_of({"a", "b"});
  torch::optim::Adam adam(model->parameters(), 1e-2);
  steps(model, adam, 0, 3);
  auto [smaller, kept] = mtl::drop_task(model, "b");
  torch::optim::Adam next(smaller->parameters(), 1e-3);
  mtl::carry_optimizer_state(adam, next, kept);
  CHECK(mtl::learning_rates(next)[0] == 1e-3);
  const auto before = mtl::nn::cloned(mtl::optimizer_state(adam));
  steps(smaller, next, 3, 5);
  const auto after = mtl::optimizer_state(adam);
  for (const auto& item : before) CHECK(after[item.key()].equal(item.value()));
}

TEST_CASE("carry_optimizer_state: another kind of optimizer is refused and not changed") {
  auto model = model_of({"a", "b"});
  torch::optim::Adam adam(model->parameters(), 1e-2);
  steps(model, adam, 0, 1);
  auto [smaller, kept] = mtl::drop_task(model, "b");
  torch::optim::SGD sgd(smaller->parameters(), torch::optim::SGDOptions(1e-2).momentum(0.9));
  CHECK(contains(error_text([&, &pairs = kept] { mtl::carry_optimizer_state(adam, sgd, pairs); }),
                 "different kinds"));
  CHECK(sgd.state().empty());
}

TEST_CASE("carry_optimizer_state: Adagrad begins what is new as with a first step") {
  auto model = model_of({"a", "b"});
  torch::optim::Adagrad first(model->parameters(), torch::optim::AdagradOptions(0.1));
  steps(model, first, 0, 3);
  auto [smaller, kept] = mtl::drop_task(model, "b");
  auto [larger, kept_again] = mtl::add_task(
      smaller, {.name = "b", .head = mtl::nn::LinearHead(4, 1), .loss = mtl::MeanSquaredError{}});
  torch::optim::Adagrad second(smaller->parameters(), torch::optim::AdagradOptions(0.1));
  torch::optim::Adagrad third(larger->parameters(), torch::optim::AdagradOptions(0.1));
  mtl::carry_optimizer_state(first, second, kept);
  mtl::carry_optimizer_state(second, third, kept_again);
  const auto before = larger->task_parameters("b")[0].detach().clone();
  steps(larger, third, 3, 4);
  // Adagrad's first step is as long as the rate, whatever the gradient.
  const auto moved = (larger->task_parameters("b")[0] - before).abs().detach();
  CHECK(moved.allclose(torch::full_like(moved, 0.1), 1e-3, 1e-5));
}
