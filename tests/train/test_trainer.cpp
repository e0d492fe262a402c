#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/io/io.hpp"
#include "temporary_folder.hpp"
#include "two_task_problem.hpp"

namespace {

struct CountSteps {
  int64_t* steps;
  void on_step_end(mtl::TrainState& state) { *steps = state.step; }
};

}  // namespace

TEST_CASE("Trainer: the same bits as a loop written by hand") {
  const auto data = weather_like(50, 1);
  auto model = two_task_model();
  torch::optim::Adam adam(model->parameters(), 1e-2);
  mtl::Sum sum;
  mtl::BatchLoader loader(data, {.batch_size = 16, .shuffle = true, .seed = 4});
  mtl::Trainer trainer(model, adam, sum, {.epochs = 3, .max_grad_norm = 0.5});
  trainer.fit(loader);

  auto by_hand = two_task_model();
  torch::optim::Adam its_adam(by_hand->parameters(), 1e-2);
  mtl::BatchLoader its_loader(data, {.batch_size = 16, .shuffle = true, .seed = 4});
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    its_loader.start_epoch(epoch);
    mtl::Batch batch;
    while (its_loader.next(batch)) {
      its_adam.zero_grad();
      const auto out = by_hand->forward(batch.inputs);
      auto loss = squared_error(out["temp"], batch.targets["temp"]).mean() +
                  cross_entropy(out["sky"], batch.targets["sky"]).mean();
      loss.backward();
      torch::nn::utils::clip_grad_norm_(by_hand->parameters(), 0.5);
      its_adam.step();
    }
  }
  CHECK(flat(model).equal(flat(by_hand)));
}

TEST_CASE(
    "Trainer: history holds the mean loss of each task over its labelled samples, and the "
    "metrics") {
  auto data = weather_like(20, 1);
  auto temp = data.targets()["temp"].clone();
  temp.slice(0, 0, 15) = std::nan("");  // the first batch of 8 has no label for this task at all
  mtl::TensorDataset valid(data.inputs(), {{"temp", temp}, {"sky", data.targets()["sky"]}});
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::Sum sum;
  mtl::BatchLoader train_loader(data), valid_loader(valid, {.batch_size = 8});
  mtl::Trainer trainer(model, sgd, sum, {.epochs = 1});
  const auto run = trainer.fit(train_loader, valid_loader);

  torch::NoGradGuard no_grad;
  const auto out = model->forward(valid.inputs());
  const auto& record = run.history.epochs.at(0).valid;
  const auto p = out["temp"].slice(0, 15), t = temp.slice(0, 15);
  CHECK(record.losses[0] == Approx(squared_error(p, t).mean().item<double>()));
  CHECK(record.losses[1] ==
        Approx(cross_entropy(out["sky"], data.targets()["sky"]).mean().item<double>()));
  CHECK(record.total == Approx(record.losses[0] + record.losses[1]));
  CHECK(record.metrics[0][0] == Approx(MeanError{}(p, t)));
  CHECK(run.best_epoch == 1);
  CHECK(run.stop_text == "all 1 epochs done");
}

TEST_CASE("Trainer: a task without any label in a batch is left out and its head stays as it is") {
  auto data = weather_like(8, 1);
  mtl::TensorDataset without(
      data.inputs(), {{"temp", torch::full({8}, std::nan(""))}, {"sky", data.targets()["sky"]}});
  auto model = two_task_model();
  const auto before = model->task_parameters("temp")[0].detach().clone();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::Sum sum;
  mtl::BatchLoader loader(without);
  const auto run = mtl::Trainer(model, sgd, sum, {.epochs = 2}).fit(loader);
  CHECK(model->task_parameters("temp")[0].equal(before));
  CHECK(std::isnan(run.history.epochs[0].train.losses[0]));
  CHECK(run.history.epochs[1].train.losses[1] < run.history.epochs[0].train.losses[1]);
}

TEST_CASE("Callback: one given by name is used in place, one given as a value is kept") {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::Sum sum;
  mtl::BatchLoader loader(weather_like(8, 1), {.batch_size = 4});
  mtl::EarlyStopping stopping{.patience = 5};
  int64_t steps = 0;
  mtl::Trainer(model, sgd, sum, {.epochs = 2}).fit(loader, loader, stopping, CountSteps{&steps});
  CHECK(std::isfinite(stopping.best.value));
  CHECK(steps == 4);
}

TEST_CASE("Trainer: options that make no sense are errors when it is made") {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::Sum sum;
  CHECK_THROWS_AS(mtl::Trainer(model, sgd, sum, {.epochs = 0}), mtl::Error);
  CHECK_THROWS_AS(mtl::Trainer(model, sgd, sum, {.max_grad_norm = -1}), mtl::Error);
}

TEST_CASE("Trainer: fit takes callbacks with and without validation, by themselves or as a list") {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.01);
  mtl::Sum sum;
  mtl::BatchLoader train(weather_like(16, 1)), valid(weather_like(8, 2));
  mtl::Trainer trainer(model, sgd, sum, {.epochs = 1});
  int64_t steps = 0;
  CountSteps count{&steps};
  const auto counted = [&](const mtl::TrainingRun& run) {
    CHECK(run.epochs() == 1);
    return std::exchange(steps, 0) + (run.history.has_validation() ? 10 : 0);
  };
  std::vector<mtl::Callback> list{count};
  CHECK(counted(trainer.fit(train)) == 0);
  CHECK(counted(trainer.fit(train, valid)) == 10);
  CHECK(counted(trainer.fit(train, count)) == 1);
  CHECK(counted(trainer.fit(train, count, StopAfterEpoch{9})) == 1);
  CHECK(counted(trainer.fit(train, valid, StopAfterEpoch{9}, count)) == 11);
  CHECK(counted(trainer.fit(train, list)) == 1);
  CHECK(counted(trainer.fit(train, valid, list)) == 11);
  CHECK(counted(trainer.fit(train, valid, {count, StopAfterEpoch{9}})) == 11);
  CHECK(counted(trainer.fit(train, {count})) == 1);
  CHECK(counted(trainer.fit(train, valid, StopAfterEpoch{9}, list)) == 11);
  CHECK(counted(trainer.fit(train, mtl::NoValidation{}, count)) == 1);
  CHECK(counted(trainer.fit(mtl::BatchLoader(weather_like(16, 1)),
                            mtl::BatchLoader(weather_like(8, 2)), count)) == 11);
}

TEST_CASE("Trainer: keeps alive what it is given") {
  const auto make = [] {
    auto model = two_task_model();
    return mtl::Trainer(model, torch::optim::SGD(model->parameters(), 0.01),
                        mtl::make_combiner("kendall"), {.epochs = 2});
  };
  mtl::Trainer trainer = make();
  mtl::BatchLoader loader(weather_like(16, 1));
  const auto run = trainer.fit(loader);
  CHECK(run.history.epochs[1].train.total < run.history.epochs[0].train.total);

  auto model = two_task_model();
  auto optimizer = std::make_shared<torch::optim::SGD>(model->parameters(), 0.01);
  mtl::Trainer other(model, optimizer, mtl::Sum(), {.epochs = 1});
  const std::weak_ptr<torch::optim::SGD> watched = optimizer;
  optimizer.reset();
  model = nullptr;
  CHECK_FALSE(watched.expired());
  CHECK(other.fit(loader).epochs() == 1);
}

TEST_CASE("Trainer: a second fit goes on from the weights and counts epochs anew") {
  const auto fit = [](std::vector<int64_t> phases) {
    auto model = two_task_model();
    torch::optim::Adam adam(model->parameters(), 0.01);
    mtl::Sum sum;
    mtl::BatchLoader loader(weather_like(32, 1), {.batch_size = 8});
    for (const int64_t epochs : phases) {
      const auto run = mtl::Trainer(model, adam, sum, {.epochs = epochs}).fit(loader);
      CHECK(run.history.epochs.front().epoch == 1);
      CHECK(run.epochs() == epochs);
    }
    return flat(model);
  };
  CHECK(fit({2, 3}).equal(fit({5})));
}
