#include <map>

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

TEST_CASE("TrainingRun: what it was made of, with the options that counted") {
  auto model = two_task_model();
  torch::optim::AdamW adam(model->parameters(), torch::optim::AdamWOptions(0.25).weight_decay(0.5));
  mtl::CaGrad combiner({.c = 0.125});
  mtl::BatchLoader train(weather_like(24, 1), {.batch_size = 8}), valid(weather_like(16, 2));
  const auto run = mtl::Trainer(model, adam, combiner, {.epochs = 2, .max_grad_norm = 3})
                       .fit(train, valid, mtl::StepLr{.step_size = 1, .gamma = 0.5});
  std::map<std::string, std::string> made;
  for (const auto& [name, value] : run.made_of) CHECK(made.emplace(name, value).second);
  int64_t shared = 0;
  for (const auto& parameter : model->shared_parameters()) shared += parameter.numel();
  CHECK(contains(made["parameters"], std::to_string(shared) + " shared, "));
  CHECK(contains(made["model"], "HardSharing"));
  CHECK_FALSE(contains(made["model"], "Impl"));
  CHECK(contains(made["optimizer"], "AdamW"));
  // As the run began: the schedule has halved the rate since.
  CHECK(contains(made["optimizer's options"], "learning rate 0.25"));
  CHECK(contains(made["optimizer's options"], "weight_decay 0.5"));
  CHECK(contains(made["combiner"], "CaGrad"));
  CHECK(contains(made["combiner's options"], "c=0.125"));
  CHECK(made["epochs at most"] == "2");
  CHECK(made["gradient's largest norm"] == "3");
  CHECK(contains(made["callbacks"], "StepLr"));
  CHECK(contains(made["training data"], "24 samples in 3 batches"));
  CHECK(contains(made["validation data"], "16 samples"));
}
