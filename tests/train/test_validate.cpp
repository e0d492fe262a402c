#include "catch.hpp"
#include "error_text.hpp"
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
