#include "bilevel_problem.hpp"

using namespace bilevel_problem;
using Eigen::MatrixXd;
using Eigen::VectorXd;

TEST_CASE("Auto-Lambda: golden paths") { check_golden_paths("auto_lambda"); }

TEST_CASE("Auto-Lambda: differences of losses are the exact mixed second derivative") {
  const auto net = std::make_shared<Net>();
  const Batch batch = random_batch(1), further = random_batch(2);
  const double inner_lr = 0.05;
  // d/dw of (grad sum w_t l_t) . d, by differentiating twice; d at the trial parameters.
  Tensor w = torch::full({2}, 0.1, torch::kDouble).requires_grad_();
  const auto parameters = net->parameters();
  const Tensor sum = torch::stack(net->losses(batch).values).dot(w);
  const auto first = torch::autograd::grad({sum}, parameters, {}, true, true);
  const auto kept = net->everything();
  {
    const torch::NoGradGuard no_grad;
    for (size_t p = 0; p < parameters.size(); ++p)
      parameters[p].variable_data().add_(first[p], -inner_lr);
  }
  const Tensor validation = torch::stack(net->losses(further).values).sum();
  const auto direction = torch::autograd::grad({validation}, parameters);
  for (size_t p = 0; p < parameters.size(); ++p) parameters[p].variable_data().copy_(kept[p]);
  Tensor along = torch::zeros({}, torch::kDouble);
  for (size_t p = 0; p < parameters.size(); ++p) along = along + (first[p] * direction[p]).sum();
  const VectorXd exact = -inner_lr * vector_of(torch::autograd::grad({along}, {w})[0]);

  AutoLambda combiner({.inner_lr = inner_lr});
  combiner.backward(net->step(batch, further), *net);
  const VectorXd found = vector_of(combiner.state_dict()["mean"]) / (1 - 0.9);
  INFO("found " << found.transpose() << ", exact " << exact.transpose());
  CHECK((found - exact).norm() < 1e-3 * exact.norm());
}

TEST_CASE("Auto-Lambda: both sides of a difference see the same dropout") {
  const auto net = std::make_shared<Net>(0.5);
  const Batch batch = random_batch(1);
  TaskLosses losses = net->step(batch, random_batch(2));
  std::vector<Tensor> draws;
  losses.same_batch = [&] {
    draws.push_back(default_generator_state());
    return net->losses(batch);
  };
  AutoLambda().backward(losses, *net);
  REQUIRE(draws.size() == 2);
  CHECK(torch::equal(draws[0], draws[1]));
}

TEST_CASE("Auto-Lambda: validation of tasks that are not primary teaches nothing") {
  const auto problem = std::make_shared<LinearProblem>(3, 4);
  torch::manual_seed(3);
  const Tensor rows = torch::randn({3, 4}, torch::kDouble),
               further = torch::randn({3, 4}, torch::kDouble);
  AutoLambda combiner({.primary = {1, 0, 0}});
  TaskLosses losses = problem->losses(rows);
  losses.another_batch = [&] { return problem->losses(further, {}, {1, 2}); };
  CHECK(torch::allclose(problem->step(combiner, losses), 0.1 * rows.sum(0)));
}

TEST_CASE("Auto-Lambda: options that mean nothing, factors for other tasks") {
  for (const double wrong : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    CHECK(contains(error_text([&] { AutoLambda({.start = wrong}); }), "start"));
    if (wrong != 0)
      CHECK(contains(error_text([&] { AutoLambda({.primary = {1, wrong}}); }), "primary"));
  }
  CHECK(contains(error_text([] { AutoLambda({.primary = {0, 0}}); }), "all weights are 0"));
  AutoLambda three({.primary = {1, 1, 1}});
  CHECK(contains(error_text([&] { three.set_task_count(2); }), "3 factors of primary, but 2"));
  const auto net = std::make_shared<Net>();
  const TaskLosses losses = net->step(random_batch(1), random_batch(1));
  CHECK(contains(error_text([&] { three.backward(losses, *net); }), "3 factors of primary, but 2"));
}
