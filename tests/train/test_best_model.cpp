#include <cmath>
#include <filesystem>

#include "catch.hpp"
#include "complex_layer.hpp"
#include "error_text.hpp"
#include "mtl/io/io.hpp"
#include "scripted_run.hpp"
#include "temporary_folder.hpp"

TEST_CASE("BestModel: the weights of the best epoch are put back at the end") {
  ScriptedRun run({mtl::BestModel{}});
  int epoch = 0;
  for (double loss : {3.0, 1.0, 2.0}) {
    run.set_weights(++epoch);
    run.epoch({loss, 1});
  }
  run.end();
  CHECK(run.weight() == 2);
}

TEST_CASE("BestModel: follows a metric in its direction, or a function") {
  const auto best_of = [](mtl::Watch watch) {
    ScriptedRun run({mtl::BestModel{.watch = std::move(watch)}});
    int epoch = 0;
    for (double accuracy : {0.5, 0.8, 0.7}) {
      run.set_weights(++epoch);
      run.epoch({1 - 0.1 * epoch, 1}, {{0, accuracy}, {0, 0}});
    }
    run.end();
    return run.weight();
  };
  CHECK(best_of({"a", "accuracy"}) == 2);
  CHECK(best_of({"a"}) == 3);
  CHECK(best_of([](const mtl::EpochRecord& r) { return r.valid("a", "accuracy"); }) == 1);
}

TEST_CASE("BestModel: neither NaN nor an epoch without a rare task stays the best") {
  ScriptedRun run({mtl::BestModel{}});
  const double none = std::nan("");
  int epoch = 0;
  for (const auto& losses : std::vector<std::vector<double>>{
           {none, none}, {0.5, none}, {2, 3}, {0.1, none}, {1, 3}, {none, 0.1}}) {
    run.set_weights(++epoch);
    run.epoch(losses);
  }
  run.end();
  CHECK(run.weight() == 5);
}

TEST_CASE("BestModel: a second fit has a best and a file of its own") {
  const TemporaryFolder folder;
  mtl::BestModel best{.file = folder / "best.safetensors"};
  const auto fit = [&](double weight, double loss) {
    ScriptedRun run({best});
    run.set_weights(weight);
    run.epoch({loss, 1});
    run.end();
    return run.weight();
  };
  CHECK(fit(1, 0.1) == 1);
  std::filesystem::remove(best.file);
  CHECK(fit(2, 5.0) == 2);
  const auto written = mtl::io::read_safetensors(best.file);
  CHECK(written.front().value().view(-1)[0].item<double>() == 2);
}

TEST_CASE(
    "BestModel: two that put weights back are an error, one that only writes beside it none") {
  CHECK(contains(error_text([] {
                   ScriptedRun run({mtl::BestModel{}, mtl::BestModel{}});
                 }),
                 "there are two that put weights back"));
  ScriptedRun run(
      {mtl::BestModel{.watch = {"a"}}, mtl::BestModel{.reload = false, .watch = {"b"}}});
  int epoch = 0;
  for (const auto& losses : std::vector<std::vector<double>>{{1, 2}, {2, 1}, {3, 3}}) {
    run.set_weights(++epoch);
    run.epoch(losses);
  }
  run.end();
  CHECK(run.weight() == 1);
}

TEST_CASE(
    "BestModel, checkpoints: weights that no file can hold are an error before the training") {
  const TemporaryFolder folder;
  auto model = complex_model();
  const auto before = complex_weight(model).detach().clone();
  const auto check = [&](mtl::Checkpointing checkpoint, auto... callbacks) {
    torch::optim::SGD sgd(model->parameters(), 0.01);
    mtl::BatchLoader train(weather_like(16, 1), {.batch_size = 8}), valid(weather_like(8, 2));
    mtl::Trainer trainer(model, sgd, mtl::Sum(), {.epochs = 1, .checkpoint = checkpoint});
    const std::string text = error_text([&] { trainer.fit(train, valid, callbacks...); });
    CHECK(contains(text, "tensor \"encoder.weight\" is of type ComplexFloat"));
    CHECK(complex_weight(model).equal(before));
    CHECK(std::filesystem::is_empty(folder.path()));
  };
  check({}, mtl::BestModel{.file = folder / "best" / "model.safetensors"});
  check({}, mtl::BestByTask{.folder = folder / "best"});
  check({.directory = folder / "run"});
  CHECK(error_text([&] { complex_run(model, {.epochs = 1}, mtl::BestModel{}); }).empty());
}
