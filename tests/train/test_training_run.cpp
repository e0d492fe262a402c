#include "catch.hpp"
#include "error_text.hpp"
#include "two_task_problem.hpp"

TEST_CASE("TrainingRun: brief and report of any run, also of one without an epoch or labels") {
  mtl::TrainingRun run;
  run.stop_reason = mtl::StopReason::interrupted;
  run.stop_text = "interrupted in epoch 1";
  CHECK(contains(run.brief(), "no epoch completed"));
  CHECK(contains(run.report(), "interrupted in epoch 1"));

  const auto data = weather_like(16, 1);
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.01);
  mtl::Sum sum;
  mtl::BatchLoader without(mtl::TensorDataset(data.inputs(), {{"sky", data.targets()["sky"]}}));
  const auto half = mtl::Trainer(model, sgd, sum, {.epochs = 2}).fit(without, without);
  CHECK(contains(half.brief(), "2 epochs in"));
  CHECK(contains(half.report(), "temp\n  best epoch"));
}
