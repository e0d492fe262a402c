#include <filesystem>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/io/io.hpp"
#include "schedule_golden.hpp"
#include "scripted_run.hpp"
#include "temporary_folder.hpp"

namespace {

/// The value of all weights in a file of the scripted model.
double weight_in(const std::filesystem::path& file) {
  return mtl::io::read_safetensors(file).front().value().view(-1)[0].item<double>();
}

}  // namespace

TEST_CASE("BestByTask: a file a task, of the epoch that was its best") {
  const TemporaryFolder folder;
  ScriptedRun run({mtl::BestByTask{.folder = folder / "best"}});
  const std::vector<std::vector<double>> losses{{3, 3}, {1, 2}, {2, 1}};
  for (size_t e = 0; e < losses.size(); ++e) {
    run.set_weights(static_cast<double>(e + 1));
    run.epoch(losses[e]);
  }
  run.end();
  CHECK(weight_in(folder / "best/a.safetensors") == 2);
  CHECK(weight_in(folder / "best/b.safetensors") == 3);
  CHECK(run.weight() == 3);
  mtl::io::Metadata metadata;
  mtl::io::read_safetensors(folder / "best/a.safetensors", &metadata);
  CHECK(metadata.at("epoch") == "2");
}

TEST_CASE("BestByTask: chosen tasks, by a metric in its direction") {
  const TemporaryFolder folder;
  ScriptedRun run({mtl::BestByTask{.folder = folder.path(), .tasks = {{"b", "accuracy"}}}});
  int epoch = 0;
  for (double accuracy : {0.5, 0.8, 0.7}) {
    run.set_weights(++epoch);
    run.epoch({1, 1}, {{0, 0}, {0, accuracy}});
  }
  run.end();
  CHECK(weight_in(folder / "b.safetensors") == 2);
  CHECK_FALSE(std::filesystem::exists(folder / "a.safetensors"));
}

TEST_CASE("BestByTask: a file that is gone where the run is resumed is an error that names it") {
  const TemporaryFolder folder;
  mtl::BestByTask best{.folder = folder.path()};
  ScriptedRun run({best});
  run.epoch({1, 1});
  run.end();
  mtl::BestByTask again{.folder = folder.path()};
  again.load_state_dict(best.state_dict());
  CHECK(again.best[1].value == 1);
  std::filesystem::remove(folder / "b.safetensors");
  run.state.resumed = true;
  CHECK(contains(error_text([&] { again.on_fit_begin(run.state); }), "b.safetensors"));
}

TEST_CASE("BestByTask: without a folder it is an error when it joins") {
  CHECK(contains(joining_error(mtl::BestByTask{}), "found no folder"));
}

TEST_CASE("BestByTask: two tasks whose names would give one file are an error before training") {
  const TemporaryFolder folder;
  mtl::TaskRegistry tasks;
  for (const auto* name : {"a/b", "a_b"})
    tasks.add({.name = name, .head = mtl::nn::LinearHead(2, 1), .loss = squared_error});
  mtl::HardSharing model(torch::nn::Linear(1, 2), tasks);
  torch::optim::SGD sgd(model->parameters(), 0.1);
  const mtl::TensorDataset data({{"x", torch::ones({2, 1})}},
                                {{"a/b", torch::ones({2})}, {"a_b", torch::ones({2})}});
  mtl::BatchLoader train(data), valid(data);
  const auto text = error_text([&] {
    mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 1})
        .fit(train, valid, mtl::BestByTask{.folder = folder.path()});
  });
  CHECK(contains(text, "tasks \"a/b\" and \"a_b\" would be one file"));
}
