#include <cmath>
#include <limits>

#include "error_text.hpp"
#include "mtl/combine/state/task_adam.hpp"
#include "mtl/combine/state/task_numbers.hpp"
#include "some_losses.hpp"

using namespace mtl;
using Eigen::VectorXd;

namespace {

/// A step of the tasks `present` of three.
TaskLosses step_of(const std::vector<int64_t>& present) {
  return only(constant_losses({1.0, 2.0, 3.0}), present);
}

std::vector<double> listed(const VectorXd& numbers) { return {numbers.begin(), numbers.end()}; }

/// What is kept after the optimizer has moved the numbers by the gradient of sum e^s_t once with
/// all tasks and then `steps` times without task 1. `zeros`: between steps gradients become zeros,
/// as by zero_grad of LibTorch 1.13.
template <class Optimizer, class Options>
std::vector<double> learned_without_task_1(const Options& options, int steps, bool zeros) {
  TaskNumbers numbers("log_scale", 0.5, 3);
  Optimizer optimizer(numbers.parameters(), options);
  for (int k = 0; k <= steps; ++k) {
    for (const Tensor& parameter : numbers.parameters())
      if (Tensor& grad = parameter.mutable_grad(); !zeros)
        grad.reset();
      else if (grad.defined())
        grad.zero_();
    torch::stack(numbers.learned(
                     step_of(k == 0 ? std::vector<int64_t>{0, 1, 2} : std::vector<int64_t>{0, 2})))
        .exp()
        .sum()
        .backward();
    optimizer.step();
  }
  return listed(numbers.all());
}

}  // namespace

TEST_CASE("TaskNumbers: a step changes the numbers of its tasks only") {
  TaskNumbers numbers("means", 0.25);
  CHECK(numbers.size() == 0);
  CHECK(listed(numbers.present(step_of({2, 0}))) == std::vector<double>{0.25, 0.25});
  CHECK(numbers.size() == 3);
  numbers.keep(step_of({2, 0}), Eigen::Vector2d(7, 5));
  CHECK(listed(numbers.all()) == std::vector<double>{5, 0.25, 7});
  numbers.add(step_of({1, 2}), torch::tensor({1.0f, 2.0f}));
  CHECK(listed(numbers.all()) == std::vector<double>{5, 1.25, 9});
  numbers.add(step_of({0, 1, 2}), torch::ones({3}));
  CHECK(listed(numbers.all()) == std::vector<double>{6, 2.25, 10});
  numbers.reset();
  CHECK(listed(numbers.all()) == std::vector<double>(3, 0.25));
}

TEST_CASE("TaskNumbers: what is learned of an absent task rests under every optimizer") {
  using namespace torch::optim;
  const int steps = GENERATE(1, 20);
  const bool zeros = GENERATE(false, true);
  const auto adam = learned_without_task_1<Adam>(AdamOptions(0.01).weight_decay(0.1), steps, zeros);
  const auto decayed = learned_without_task_1<AdamW>(AdamWOptions(0.01), steps, zeros);
  const auto sgd =
      learned_without_task_1<SGD>(SGDOptions(0.01).momentum(0.9).weight_decay(0.1), steps, zeros);
  CHECK(adam[1] == Approx(0.49).epsilon(1e-6));
  CHECK(decayed[1] == Approx(0.5 - 0.01 - 0.01 * 0.01 * 0.5).epsilon(1e-6));
  CHECK(sgd[1] == Approx(0.5 - 0.01 * (std::exp(0.5) + 0.05)));
  for (const auto& learned : {adam, decayed, sgd}) {
    CHECK(learned[0] < learned[1]);
    CHECK(learned[0] == learned[2]);
  }
}

TEST_CASE("TaskNumbers: an absent task has no gradient, a present one adds to its own") {
  TaskNumbers numbers("log_scale", 0, 3);
  torch::stack(numbers.learned(step_of({0, 2}))).exp().sum().backward();
  numbers.add_gradient(step_of({0}), VectorXd::Constant(1, 0.5));
  const std::vector<Tensor>& parameters = numbers.parameters();
  CHECK(parameters[0].grad().item<double>() == 1.5);
  CHECK_FALSE(parameters[1].grad().defined());
  CHECK(parameters[2].grad().item<double>() == 1);
}

TEST_CASE("TaskNumbers: an optimizer's parameters stay the same objects and follow the losses") {
  TaskNumbers numbers("log_scale", 0.5, 3);
  const std::vector<Tensor> held = numbers.parameters();
  TaskLosses step = step_of({0, 1, 2});
  for (Tensor& value : step.values) value = value.to(torch::kFloat);
  CHECK(numbers.learned(step)[1].scalar_type() == torch::kFloat);
  for (size_t t = 0; t < held.size(); ++t) {
    CHECK(held[t].is_same(numbers.parameters()[t]));
    CHECK(held[t].scalar_type() == torch::kFloat);
    CHECK(held[t].is_leaf());
    CHECK(held[t].dim() == 0);
  }
  torch::NoGradGuard no_grad;
  held[1].fill_(4);
  CHECK(listed(numbers.all()) == std::vector<double>{0.5, 4, 0.5});
  numbers.load(torch::tensor({1.0, 2.0, 3.0}));
  CHECK(held[2].item<double>() == 3);
  CHECK(held[2].is_same(numbers.parameters()[2]));
}

TEST_CASE("TaskNumbers: the first losses say the type, float32 at least, and later ones keep it") {
  const auto step = [](torch::Dtype type) {
    TaskLosses losses = step_of({0, 1, 2});
    for (Tensor& value : losses.values) value = value.detach().to(type).requires_grad_();
    return losses;
  };
  for (const auto type : {torch::kHalf, torch::kBFloat16, torch::kFloat}) {
    TaskNumbers numbers("log_scale", 0.5, 3);
    CHECK(numbers.learned(step(type))[0].scalar_type() == torch::kFloat);
    CHECK(numbers.learned(step(torch::kDouble))[0].scalar_type() == torch::kFloat);
    numbers.add(step_of({0, 2}), torch::ones({2}, torch::kDouble));
    CHECK(listed(numbers.all()) == std::vector<double>{1.5, 0.5, 1.5});
  }
  TaskNumbers counts("steps", 0);
  for (int k = 0; k < 1000; ++k)
    counts.add(step(torch::kBFloat16), torch::ones({3}, torch::kBFloat16));
  CHECK(listed(counts.all()) == std::vector<double>{1000, 1000, 1000});
  // As where a double loss has labels in some batches only, under an optimizer that keeps moments.
  for (const auto name : {"kendall", "revised_uncertainty", "imtl_l"}) {
    INFO(name);
    const auto combiner = make_combiner(name, 3);
    torch::optim::Adam adam(combiner->parameters(), 0.1);
    for (const auto type : {torch::kDouble, torch::kFloat, torch::kBFloat16, torch::kDouble}) {
      const TaskLosses losses = step(type);
      combiner->backward(losses, {});
      CHECK(losses.values[0].grad().scalar_type() == type);
      adam.step();
    }
  }
}

TEST_CASE("TaskNumbers: a copy is of its own") {
  TaskNumbers first("log_scale", 0, 2);
  first.parameters();
  TaskNumbers second = first;
  first.load(torch::tensor({1.0, 2.0}));
  CHECK(listed(second.all()) == std::vector<double>{0, 0});
  CHECK_FALSE(second.parameters()[0].is_same(first.parameters()[0]));
}

TEST_CASE("TaskNumbers: a state is all or nothing, also one from before the first step") {
  TaskNumbers means("means", 1), sums("sums", 0);
  const NamedTensors empty = saved_numbers({&means, &sums});
  CHECK(empty["means"].sizes() == at::IntArrayRef({0}));
  load_numbers(empty, {&means, &sums});
  CHECK(means.size() == 0);

  means.keep(step_of({0, 1, 2}), Eigen::Vector3d(3, 4, 5));
  sums.set_task_count(3);
  const NamedTensors state = saved_numbers({&means, &sums});
  TaskNumbers other_means("means", 1), other_sums("sums", 0);
  load_numbers(state, {&other_means, &other_sums});
  CHECK(listed(other_means.all()) == std::vector<double>{3, 4, 5});
  CHECK(other_sums.size() == 3);
  load_numbers(empty, {&other_means, &other_sums});
  CHECK(listed(other_means.all()) == std::vector<double>{1, 1, 1});

  const auto refused = [&](const std::string& name, const Tensor& entry) {
    NamedTensors wrong;
    wrong.insert("means", torch::tensor({7.0, 8.0, 9.0}));
    if (name != "means") wrong.insert(name, entry);
    const std::string text = error_text([&] { load_numbers(wrong, {&other_means, &other_sums}); });
    CHECK(listed(other_means.all()) == std::vector<double>{1, 1, 1});
    return text;
  };
  CHECK(contains(refused("means", {}), "no \"sums\", but means"));
  CHECK(contains(refused("sums", torch::zeros({2})), "\"sums\" of shape [2], expected [3]"));
  CHECK(contains(refused("sums", torch::zeros({3, 1})), "[3, 1]"));
  CHECK(contains(refused("logits", torch::zeros({3})), "no \"sums\""));
  NamedTensors more;
  for (const auto& item : state) more.insert(item.key(), item.value());
  more.insert("epoch", torch::tensor(3));
  CHECK(contains(error_text([&] { load_numbers(more, {&means, &sums}); }), "\"epoch\""));
  load_numbers(more, {&means, &sums}, {"epoch"});
  CHECK(contains(error_text([&] {
                   load_numbers(state, {&means, &sums}, {"epoch"});
                 }),
                 "\"epoch\""));
}

TEST_CASE("TaskNumbers: counts that disagree, parameters without a count") {
  TaskNumbers numbers("log_variance", 0);
  CHECK(contains(error_text([&] { numbers.parameters(); }), "\"log_variance\""));
  numbers.set_task_count(2);
  numbers.set_task_count(2);
  CHECK(contains(error_text([&] { numbers.set_task_count(3); }), "2 tasks, but there are 3"));
  CHECK(contains(error_text([&] { numbers.present(step_of({0})); }), "2 tasks, but there are 3"));
  CHECK(numbers.parameters().size() == 2);
}

TEST_CASE("TaskAdam: Adam's steps; an absent task keeps its number and its moments") {
  TaskAdam moved(0.5, 0.1);
  CHECK(moved.all().size() == 0);
  moved.descend(step_of({0, 1, 2}), Eigen::Vector3d(2, -4, 0));
  // After one step Adam moves by the rate against the sign.
  const VectorXd first = moved.all();
  CHECK(first[0] == Approx(0.4));
  CHECK(first[1] == Approx(0.6));
  CHECK(first[2] == 0.5);
  moved.descend(step_of({0, 2}), Eigen::Vector2d(-2, 1000), 0.45);
  CHECK(moved.all()[1] == first[1]);
  CHECK(moved.all()[2] == 0.45);  // not below the lowest
  const NamedTensors state = saved_numbers(std::as_const(moved).parts());
  CHECK(state["steps"].equal(torch::tensor({2.0, 1.0, 2.0}, torch::kDouble)));
  TaskAdam resumed(0.5, 0.1);
  load_numbers(state, resumed.parts());
  moved.descend(step_of({1}), VectorXd::Constant(1, 3.0));
  resumed.descend(step_of({1}), VectorXd::Constant(1, 3.0));
  CHECK(resumed.all() == moved.all());
  CHECK(contains(error_text([&] { moved.set_task_count(2); }), "3 tasks, but there are 2"));
}

TEST_CASE("TaskNumbers: fewer than no tasks are an Error") {
  TaskNumbers numbers("means", 0.25);
  CHECK(contains(error_text([&] { numbers.set_task_count(-1); }), "the number of tasks is -1"));
}
