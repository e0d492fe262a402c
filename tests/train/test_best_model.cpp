#include <cmath>
#include <filesystem>

#include "catch.hpp"
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
