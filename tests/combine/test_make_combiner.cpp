#include <cmath>

#include "error_text.hpp"
#include "linear_problem.hpp"

using namespace mtl;

TEST_CASE("make_combiner: every name makes a combiner") {
  const TaskRegistry tasks = tasks_of_kind({true, false, true, false});
  for (const std::string& name : combiner_names()) {
    INFO(name);
    const std::string text = name == "fixed" ? "fixed:weights=1/0.5/2/1" : name;
    CHECK(make_combiner(text, tasks) != nullptr);
    CHECK(make_combiner(text) != nullptr);
  }
}

TEST_CASE("combiners: any of them reports the task gradients and what it did with them") {
  const Eigen::MatrixXd rows{{1, 2, 0, 0.5}, {-2, 1, 1, 0}, {0.5, 0.25, -1, 2}, {1, -1, 0.5, 1}};
  const TaskRegistry tasks = tasks_of_kind({true, true, true, true});
  const Eigen::MatrixXd gramian = rows * rows.transpose();
  const Eigen::VectorXd norms = gramian.diagonal().cwiseSqrt();
  for (const std::string& name : combiner_names()) {
    INFO(name);
    const auto problem = std::make_shared<LinearProblem>(4, 4);
    const auto losses_of = [&] {
      TaskLosses losses = problem->losses(tensor_of(rows));
      losses.same_batch = losses.another_batch = [&] { return problem->losses(tensor_of(rows)); };
      return losses;
    };
    const auto combiner = make_combiner(name == "fixed" ? "fixed:weights=1/2/0.5/1" : name, tasks);
    problem->step(*combiner, losses_of());
    CHECK_FALSE(combiner->last_report());
    combiner->report_every(1);
    const TaskLosses losses = losses_of();
    const Eigen::VectorXd update = vector_of(problem->step(*combiner, losses));
    REQUIRE(combiner->last_report());
    const CombinerReport& report = *combiner->last_report();
    CHECK(report.names == losses.names);
    CHECK(report.norms.isApprox(norms, 1e-7));  // db_mtl: of log(1 + 1e-8)
    CHECK(report.cosines.isApprox(gramian.cwiseQuotient(norms * norms.transpose()), 1e-9));
    CHECK(report.conflicts == 3);
    CHECK(report.shares.sum() == Approx(1));
    if (dynamic_cast<LossCombiner*>(combiner.get()) || name == "upgrad" || name == "moml")
      CHECK(update.isApprox(rows.transpose() * report.weights, 1e-9));
  }
}

TEST_CASE("make_combiner: options arrive") {
  const auto value = [](const std::string& text) {
    const auto combiner = make_combiner(text, 2);
    return dynamic_cast<LossCombiner&>(*combiner)
        .combine(constant_losses({2.0, 4.0}, kinds({true, false})))
        .item<double>();
  };
  CHECK(value("fixed:weights=1/0.5") == Approx(4));
  CHECK(value("kendall") == Approx(5));
  CHECK(value("kendall:form=every_task_as_regression") == Approx(3));
  CHECK(value("kendall:log_variance=1") == Approx(5 * std::exp(-1) + 1));
  CHECK(value("stch:mu=0.001,weights=1/0.25") == Approx(2).epsilon(1e-3));
  CHECK(value("pbi:theta=0,weights=1/0,reference=0.5/0") == Approx(1.5));
  CHECK(value("cosmos:lambda=0,weights=2/1") == Approx(8));
  const auto start = [](const std::string& text) {
    const auto combiner = make_combiner(text);
    const auto problem = std::make_shared<LinearProblem>(2, 2);
    TaskLosses losses = problem->losses(torch::eye(2, torch::kDouble));
    losses.same_batch =
        losses.another_batch = [&] { return problem->losses(torch::eye(2, torch::kDouble)); };
    return vector_of(problem->step(*combiner, losses));
  };
  CHECK(start("auto_lambda:lr=0.5,start=2").isApprox(Eigen::Vector2d(2.5, 2.5), 1e-6));
  CHECK(start("auto_lambda:lr=0.5,start=2,primary=0/1").isApprox(Eigen::Vector2d(2, 2.5), 1e-6));
  CHECK(value("rlw:distribution=dirichlet,seed=4") == value("rlw:distribution=dirichlet,seed=4"));
}

TEST_CASE("make_combiner: what is unknown is an Error that lists what there is") {
  const auto error = [](const char* text) { return error_text([&] { make_combiner(text); }); };
  CHECK(contains(error("kendal"), "no combiner \"kendal\""));
  CHECK(contains(error("kendal"), "kendall, revised_uncertainty"));
  CHECK(contains(error(""), "sum, mean"));
  CHECK(contains(error(""), "auto_lambda, moml, forum"));
  CHECK(contains(error("stch:nu=1"), "it has: mu, weights, reference, warm_up_epochs"));
  CHECK(contains(error("sum:a=1"), "it has: none"));
  CHECK(contains(error("stch:mu=big"), "expected a number"));
  CHECK(contains(error("stch:mu=1,mu=2"), "twice"));
  CHECK(contains(error("stch:mu"), "name=value"));
  CHECK(contains(error("stch:warm_up_epochs=-1"), "whole number"));
  CHECK(contains(error("rlw:distribution=cauchy"), "normal, uniform, dirichlet, bernoulli"));
  CHECK(contains(error("fixed"), "no weight"));
  CHECK(contains(error("pbi:weights=1/x"), "expected a number"));
}
