#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/task/tasks.hpp"
#include "two_task_problem.hpp"

TEST_CASE("validate: takes a model or its holder, with a combiner's total or the sum") {
  auto model = two_task_model();
  mtl::BatchLoader loader(weather_like(20, 1), {.batch_size = 8});
  const auto record = mtl::validate(model, loader);
  CHECK(record.total == Approx(record.losses[0] + record.losses[1]));
  CHECK(mtl::validate(*model, mtl::BatchLoader(weather_like(20, 1))).losses[0] ==
        Approx(record.losses[0]));
  mtl::FixedWeights weights({2, 0});
  CHECK(mtl::validate(model, weights, loader).total == Approx(2 * record.losses[0]));
}

TEST_CASE("validate: the mode of every part is put back") {
  auto model = normed_model();
  model->train();
  const auto norm = model->encoder().module()->children()[1];
  norm->eval();  // frozen statistics inside a model that is training
  mtl::validate(model, mtl::BatchLoader(weather_like(20, 1)));
  CHECK(model->is_training());
  CHECK_FALSE(norm->is_training());
  CHECK(model->encoder().module()->is_training());
}

TEST_CASE("validate: a row whose loss is not finite ends it, or is left out by a run that skips") {
  const auto data = weather_like(24, 2);
  auto x = data.inputs()["x"].clone();
  x[9][1] = std::nan("");
  mtl::BatchLoader valid(mtl::TensorDataset({{"x", x}}, data.targets()), {.batch_size = 8});
  const auto fit = [&](mtl::BatchLoader held_out, const mtl::TrainerOptions& options) {
    auto model = two_task_model();
    torch::optim::SGD sgd(model->parameters(), 0.01);
    mtl::Sum sum;
    mtl::BatchLoader train(weather_like(32, 1));
    return mtl::Trainer(model, sgd, sum, options).fit(train, held_out);
  };
  const auto text = error_text([&] { fit(valid, {.epochs = 2}); });
  CHECK(contains(text, "epoch 1: validation batch 2, task \"temp\""));
  CHECK(contains(text, "input \"x\" holds NaN or infinity in row 1"));

  const auto sound_rows = torch::cat({torch::arange(9), torch::arange(10, 24)});
  const auto left = fit(valid, skipping(2));
  const auto right = fit(mtl::BatchLoader(data.rows(sound_rows), {.batch_size = 8}), skipping(2));
  CHECK(left.faulty_rows == 2);
  CHECK(contains(left.brief(), "2 faulty validation rows left out"));
  for (size_t t = 0; t < 2; ++t)
    CHECK(left.history.epochs[1].valid.losses[t] ==
          Approx(right.history.epochs[1].valid.losses[t]));
  CHECK(left.history.epochs[1].valid.metrics[0][0] ==
        Approx(right.history.epochs[1].valid.metrics[0][0]));
}

TEST_CASE("validate: targets that only some batches have") {
  const auto data = weather_like(16, 1);
  auto batches = batches_of(data);
  mtl::Batch without = batches[1];
  without.targets = {{"sky", batches[1].targets["sky"]}};
  auto model = two_task_model();
  const auto both = mtl::validate(model, ListLoader({batches[0], without}));
  const auto first = mtl::validate(model, ListLoader({batches[0]}));
  CHECK(both.losses[0] == Approx(first.losses[0]));
  CHECK(both.metrics[0][0] == Approx(first.metrics[0][0]));
}

TEST_CASE("validate: weight 0 is a row left out, weight 2 a row twice, whatever the batches") {
  const auto data = weather_like(12, 3);
  auto weights = torch::ones({12});
  weights[3] = 0;
  weights[7] = 2;
  const mtl::TensorDataset weighted(data.inputs(), data.targets(), weights);
  const auto rows = torch::tensor({0, 1, 2, 4, 5, 6, 7, 7, 8, 9, 10, 11}, torch::kLong);
  auto model = two_task_model();
  const auto expected = mtl::validate(model, mtl::BatchLoader(data.rows(rows)));
  for (const int64_t batch_size : {1, 5, 12}) {
    const auto found = mtl::validate(model, mtl::BatchLoader(weighted, {.batch_size = batch_size}));
    for (size_t t = 0; t < 2; ++t) CHECK(found.losses[t] == Approx(expected.losses[t]));
    CHECK(found.total == Approx(expected.total));
    CHECK(found.metrics[0][0] == Approx(expected.metrics[0][0]));
  }
}

TEST_CASE("Trainer: an epoch's mean loss does not depend on how weighted rows fall into batches") {
  const auto data = weather_like(12, 3);
  const mtl::TensorDataset weighted(data.inputs(), data.targets(), torch::linspace(0, 3, 12));
  const auto losses = [&](int64_t batch_size) {
    auto model = two_task_model();
    torch::optim::SGD still(model->parameters(), 0.0);
    return mtl::Trainer(model, still, mtl::Sum(), {.epochs = 1})
        .fit(mtl::BatchLoader(weighted, {.batch_size = batch_size}))
        .history.epochs[0]
        .train.losses;
  };
  const auto whole = losses(12);
  for (const int64_t batch_size : {2, 5})
    for (size_t t = 0; t < 2; ++t) CHECK(losses(batch_size)[t] == Approx(whole[t]));
}

TEST_CASE("validate: metrics of batches are those of the whole, with weights and missing labels") {
  mtl::TaskRegistry tasks;
  tasks.add({.name = "temp",
             .head = mtl::nn::LinearHead(8, 1),
             .loss = mtl::MeanSquaredError{},
             .metrics = {mtl::Rmse{}, mtl::GroupedAuc{.group = "place"}, MeanError{}}});
  tasks.add({.name = "sky",
             .head = mtl::nn::LinearHead(8, 2),
             .loss = mtl::CrossEntropy{},
             .metrics = {mtl::Accuracy{}, mtl::RocAuc{}, mtl::LogLoss{}}});
  torch::manual_seed(3);
  mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}}), tasks);
  const auto data = weather_like(23, 2);
  auto targets = data.targets();
  targets["temp"] = targets["temp"].clone();
  targets["temp"].slice(0, 4, 9).fill_(std::nan(""));  // a whole batch, too
  targets["sky"] = targets["sky"].clone();
  targets["sky"][20] = mtl::missing_class;
  targets.insert("place", torch::arange(23) % 3);
  auto weights = torch::rand({23}, torch::kDouble);
  weights[11] = 0;
  const mtl::TensorDataset all(data.inputs(), targets, weights);
  const auto record = mtl::validate(model, mtl::BatchLoader(all, {.batch_size = 4}));
  const auto found = mtl::predict(model, mtl::BatchLoader(all, {.batch_size = 4}));
  for (size_t t = 0; t < 2; ++t) {
    const auto whole = mtl::metrics_of(tasks[static_cast<int64_t>(t)], found);
    for (size_t m = 0; m < 3; ++m) {
      INFO(tasks[static_cast<int64_t>(t)].metrics[m].name);
      CHECK(std::isfinite(whole[m]));
      CHECK(record.metrics[t][m] == Approx(whole[m]).epsilon(1e-12));
    }
  }
}
