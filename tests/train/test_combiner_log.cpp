#include "catch.hpp"
#include "error_text.hpp"
#include "logged_run.hpp"
#include "temporary_folder.hpp"
#include "two_task_problem.hpp"

namespace {

/// The first epoch of a run with checkpoints and combiner.csv, or the second, which resumes.
void run_epoch(const TemporaryFolder& folder, int64_t epoch) {
  logged_run(epoch, mtl::Checkpointing{.directory = folder / "checkpoint", .resume = epoch > 1},
             mtl::CombinerLog{.csv = folder / "combiner.csv", .every = 1});
}

}  // namespace

TEST_CASE("CombinerLog: one line a reporting step and task that has labels") {
  const TemporaryFolder folder;
  mtl::CombinerLog log{.csv = folder / "combiner.csv", .tensorboard = folder / "board", .every = 2};
  logged_run(2, log);  // 4 steps an epoch: reports at 1, 3, 5, 7; in 1 and 5 task "b" has no label
  REQUIRE(log.entries.size() == 4);
  CHECK(log.entries[1].step == 3);
  CHECK(log.entries[0].report.names == std::vector<std::string>{"a"});

  const auto lines = lines_of(mtl::io::read_file(folder / "combiner.csv"));
  REQUIRE(lines.size() == 1 + 1 + 2 + 1 + 2);
  CHECK(lines[0] == "step,task,norm,weight,share,conflicts,stationary,cosine_a,cosine_b");
  CHECK(lines[1].starts_with("1,a,"));
  CHECK(lines[1].ends_with(","));  // no cosine with a task that has no labels
  const auto& report = log.entries[1].report;
  CHECK(lines[2] == "3,a," + mtl::io::csv_number(report.norms[0]) + ",1," +
                        mtl::io::csv_number(report.shares[0]) + "," +
                        std::to_string(report.conflicts) + ",0," +
                        mtl::io::csv_number(report.cosines(0, 0)) + "," +
                        mtl::io::csv_number(report.cosines(0, 1)));
  const auto events = event_file(folder / "board");
  CHECK(occurrences(events, "weight/a") == 4);
  CHECK(occurrences(events, "weight/b") == 2);
  CHECK(occurrences(events, "cosine/a/b") == 2);
  CHECK(occurrences(events, "conflicts") == 4);
}

TEST_CASE("CombinerLog: a resumed run leaves the file of one that was never interrupted") {
  const TemporaryFolder folder;
  logged_run(4, mtl::CombinerLog{.csv = folder / "whole.csv", .every = 3});
  const auto checkpointing = [&](bool resume) {
    return mtl::Checkpointing{.directory = folder / "checkpoint", .resume = resume};
  };
  const auto log = [&] { return mtl::CombinerLog{.csv = folder / "parts.csv", .every = 3}; };
  logged_run(4, checkpointing(false), log(), StopAfterEpoch{2});
  // What a killed run had written beyond its last checkpoint.
  mtl::io::write_file_atomically(folder / "parts.csv",
                                 mtl::io::read_file(folder / "parts.csv") + "10,a,9,9,9,9,0,1,1\n");
  logged_run(4, checkpointing(true), log(), StopAfterEpoch{4});
  CHECK(mtl::io::read_file(folder / "parts.csv") == mtl::io::read_file(folder / "whole.csv"));
}

TEST_CASE("CombinerLog: a resumed run has the reports of one that was never interrupted") {
  const TemporaryFolder folder;
  mtl::CombinerLog whole{.every = 2};  // in steps 1 and 5 of 8 one task has no label
  logged_run(2, whole);
  const auto resumed = [&](bool resume, int64_t epochs) {
    mtl::CombinerLog log{.csv = folder / "parts.csv", .every = 2};
    logged_run(2, mtl::Checkpointing{.directory = folder / "checkpoint", .resume = resume}, log,
               StopAfterEpoch{epochs});
    return log.entries;
  };
  resumed(false, 1);
  const auto entries = resumed(true, 2);
  REQUIRE(entries.size() == whole.entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto &found = entries[i].report, &expected = whole.entries[i].report;
    CHECK(entries[i].step == whole.entries[i].step);
    CHECK(found.names == expected.names);
    CHECK(found.norms == expected.norms);
    CHECK(found.weights == expected.weights);
    CHECK(found.shares == expected.shares);
    CHECK(found.cosines == expected.cosines);
    CHECK(found.conflicts == expected.conflicts);
    CHECK(found.stationary == expected.stationary);
  }
}

TEST_CASE("CombinerLog: a damaged line of the steps before is an error that names it") {
  const TemporaryFolder folder;
  const auto csv = folder / "combiner.csv";
  run_epoch(folder, 1);
  const std::string text = mtl::io::read_file(csv);
  const size_t second = text.find('\n') + 1;
  for (const std::string bad : {"1,a,x,1,1,0,0,1,\n", "1,a\n", "one,a,1,1,1,0,0,1,\n"}) {
    mtl::io::write_file_atomically(csv, text.substr(0, second) + bad);
    CHECK(contains(error_text([&] { run_epoch(folder, 2); }), "combiner.csv, line 2"));
  }
}

TEST_CASE("CombinerLog: an interval below 1 is an error") {
  CHECK(contains(error_text([] { logged_run(1, mtl::CombinerLog{.every = 0}); }), "found every 0"));
}

TEST_CASE("CombinerLog: a line that a kill has torn is written anew by the resumed run") {
  const TemporaryFolder folder;
  logged_run(4, mtl::CombinerLog{.csv = folder / "whole.csv", .every = 3});
  const auto parts = folder / "parts.csv";
  const auto run = [&](int64_t epochs, bool resume) {
    logged_run(epochs, mtl::Checkpointing{.directory = folder / "checkpoint", .resume = resume},
               mtl::CombinerLog{.csv = parts, .every = 3});
  };
  run(2, false);
  mtl::io::write_file_atomically(parts, mtl::io::read_file(parts) + "1");  // of "10,a,..."
  run(4, true);
  CHECK(mtl::io::read_file(parts) == mtl::io::read_file(folder / "whole.csv"));
}

TEST_CASE("CombinerLog: what an interrupted epoch saw is written, and a second fit begins anew") {
  const TemporaryFolder folder;
  struct StopAtStep {
    int64_t step;
    void on_step_end(mtl::TrainState& state) {
      if (state.step == step) state.stop("the test stops here");
    }
  };
  mtl::CombinerLog log{.csv = folder / "combiner.csv", .every = 1};
  logged_run(2, log, StopAtStep{2});
  CHECK(lines_of(mtl::io::read_file(log.csv)).back().starts_with("2,"));
  logged_run(1, log, StopAtStep{1});
  CHECK(log.entries.size() == 1);
  CHECK(lines_of(mtl::io::read_file(log.csv)).size() == 2);
}

TEST_CASE("CombinerLog: another run's file is an error that names it") {
  const TemporaryFolder folder;
  const auto csv = folder / "combiner.csv";
  run_epoch(folder, 1);
  mtl::io::write_file_atomically(csv, "epoch,loss\n1,2\n");
  CHECK(contains(error_text([&] { run_epoch(folder, 2); }), "combiner.csv"));
}

TEST_CASE("CombinerLog: looking changes nothing where a loss has no gradient") {
  const auto weights_after = [](auto&&... log) {
    torch::manual_seed(1);
    mtl::TaskRegistry tasks;
    tasks.add({.name = "a", .head = mtl::nn::LinearHead(4, 1), .loss = squared_error});
    tasks.add({.name = "b",
               .head = mtl::nn::LinearHead(4, 1),
               .loss = [](const torch::Tensor& p, const torch::Tensor& t) {
                 return squared_error(p, t).detach();
               }});
    mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {4}}), tasks);
    model->shared_parameters()[0].set_requires_grad(false);  // a part that is frozen
    for (torch::Tensor& parameter : model->task_parameters("b")) parameter.set_requires_grad(false);
    torch::optim::SGD sgd(model->task_parameters("a"), 0.01);
    mtl::FixedWeights combiner({1, 2});
    mtl::BatchLoader loader(two_targets(false), {.batch_size = 10});
    mtl::Trainer(model, sgd, combiner, {.epochs = 1}).fit(loader, log...);
    return model->task_parameters("a")[0].detach().clone();
  };
  mtl::CombinerLog log{.every = 1};
  CHECK(weights_after(log).equal(weights_after()));
  REQUIRE(log.entries.size() == 4);
  CHECK(log.entries[0].report.norms[1] == 0);
}

TEST_CASE("CombinerLog: two of them, each with the reports of its own steps") {
  mtl::CombinerLog alone{.every = 1}, often{.every = 1}, seldom{.every = 3};
  logged_run(2, alone);
  logged_run(2, often, seldom);  // 8 steps
  REQUIRE(often.entries.size() == 8);
  REQUIRE(seldom.entries.size() == 3);
  for (size_t i = 0; i < 8; ++i) {
    CHECK(often.entries[i].step == alone.entries[i].step);
    CHECK(often.entries[i].report.norms == alone.entries[i].report.norms);
  }
  for (size_t i = 0; i < 3; ++i)
    CHECK(seldom.entries[i].report.norms == alone.entries[3 * i].report.norms);
}

TEST_CASE("CombinerLog: a step of several batches whose last has no label says what was seen") {
  auto batches = batches_of(weather_like(48, 1));  // two steps of modo
  batches[5].targets = mtl::NamedTensors(
      {{"temp", torch::full({8}, std::nan(""))}, {"sky", torch::full({8}, mtl::missing_class)}});
  batches[5].targets["sky"] = batches[5].targets["sky"].to(torch::kLong);
  batches[5].complete = false;
  ListLoader train(batches);
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::CombinerLog log{.every = 1};
  mtl::Trainer(model, sgd, mtl::MoDo(), {.epochs = 1}).fit(train, log);
  REQUIRE(log.entries.size() == 2);
  const auto &made = log.entries[0].report, &none = log.entries[1].report;
  CHECK(made.weights.sum() == Approx(1));
  CHECK(none.weights.isZero(0));
  CHECK(none.norms.minCoeff() > 0);
  CHECK((none.norms - made.norms).norm() > 0);
}
