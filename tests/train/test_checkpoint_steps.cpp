#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "catch.hpp"
#include "checkpointed_run.hpp"
#include "two_task_problem.hpp"

// Checkpoints within epochs: whatever is done by batch has to be there again.

namespace {

/// Ends a run as a kill does, as far as a checkpoint can tell: step `step` never ends.
constexpr const char* cut = "the test cuts it off here";
struct CutOff {
  int64_t step;
  void on_step_end(mtl::TrainState& state) const {
    if (state.step == step) throw mtl::Error(cut);
  }
};

/// Remembers which hooks it heard, sets up each epoch without remembering it, changes the rates.
struct Tally {
  std::vector<int64_t> heard = std::vector<int64_t>(3);  // epochs begun, steps begun, steps done
  void on_fit_begin(mtl::TrainState& state) {
    if (!state.resumed) *this = {};
  }
  void on_epoch_begin(mtl::TrainState& state) {
    ++heard[0];
    state.model.parameters()[0].set_requires_grad(state.epoch != 2);
    auto rates = state.rates.base();
    for (double& rate : rates) rate /= static_cast<double>(state.epoch + state.step);
    state.rates.set(this, rates);
  }
  void on_step_begin(mtl::TrainState&) { ++heard[1]; }
  void on_step_end(mtl::TrainState&) { ++heard[2]; }
  mtl::NamedTensors state_dict() const {
    return mtl::NamedTensors({{"heard", torch::tensor(heard, torch::kLong)}});
  }
  void load_state_dict(const mtl::NamedTensors& state) {
    const auto kept = state["heard"].contiguous();
    heard.assign(kept.data_ptr<int64_t>(), kept.data_ptr<int64_t>() + kept.numel());
  }
};

struct FreezeAtStep {
  int64_t step;
  std::string task;
  void on_step_end(mtl::TrainState& state) const {
    if (state.step == step) state.freeze(task);
  }
};

std::vector<mtl::Callback> every_callback(const std::filesystem::path& out, int64_t cut_off) {
  return {mtl::BestModel{.file = out / "best.safetensors"},
          mtl::BestByTask{.folder = out},
          mtl::StepLr{.step_size = 2, .gamma = 0.5},
          mtl::OneCycleLr{},
          mtl::ReduceOnPlateauLr{.factor = 0.5, .patience = 0},
          mtl::EarlyStopping{.patience = 9},
          mtl::TaskStopping{.patience = 9, .freeze = true},
          mtl::CombinerLog{.csv = out / "combiner.csv", .every = 2},
          mtl::CsvLog{.file = out / "history.csv"},
          Tally{},
          FreezeAtStep{8, "b"},
          CutOff{cut_off}};
}

const char* const run_folder = "MTL_TEST_RUN_FOLDER";

CheckpointedResult long_run(const std::filesystem::path& out, bool resume) {
  return checkpointed({.epochs = 8, .gaps = true, .callbacks = every_callback(out, 0)},
                      {.directory = out / "checkpoint", .resume = resume, .every_steps = 1});
}

/// What a run left, but for the folder of its checkpoints.
std::map<std::string, std::string> files_of(const std::filesystem::path& out) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(out))
    if (entry.is_regular_file() && entry.path().extension() != ".lock")
      files[entry.path().filename().string()] = mtl::io::read_file(entry.path());
  return files;
}

}  // namespace

TEST_CASE("Checkpoint within an epoch: cut off in any step, a run ends with the same bytes") {
  const TemporaryFolder whole, whole_out;
  const auto ingredients = [](const TemporaryFolder& out, int64_t cut_off) {
    return Ingredients{.gaps = true, .callbacks = every_callback(out.path(), cut_off)};
  };
  const auto straight = checkpointed(ingredients(whole_out, 0), {.directory = whole.path()});
  CHECK(straight.run.frozen.size() == 1);
  // Of 3 an epoch: with none before, one, the last but one, an epoch's last, the step that freezes.
  for (const int64_t step : {1, 2, 3, 4, 8, 9}) {
    INFO("cut off in step " << step);
    const TemporaryFolder parts, out;
    const mtl::Checkpointing before{.directory = parts.path(),
                                    .every_steps = std::max<int64_t>(step - 1, 1)};
    CHECK(contains(error_text([&] { checkpointed(ingredients(out, step), before); }), cut));
    const auto resumed =
        checkpointed(ingredients(out, 0), {.directory = parts.path(), .resume = true});
    CHECK(resumed.weights.equal(straight.weights));
    CHECK(resumed.run.steps == straight.run.steps);
    CHECK(resumed.run.frozen.size() == 1);
    CHECK(contents(parts.path()) == contents(whole.path()));
    CHECK(files_of(out.path()) == files_of(whole_out.path()));
  }
}

TEST_CASE("Checkpoint within an epoch: every combiner keeps its place") {
  for (const std::string& name : mtl::combiner_names()) {
    INFO(name);
    const auto cut_off = [&](int64_t step) {
      return Ingredients{.combiner = name == "fixed"  ? "fixed:weights=1/2/3"
                                     : name == "krum" ? "krum:byzantine=0"
                                                      : name,
                         .rows = 40,
                         .epochs = 2,
                         .third_task = true,
                         .gaps = true,
                         .callbacks = {CutOff{step}}};
    };
    const TemporaryFolder parts;
    const auto straight = checkpointed(cut_off(0), {});
    REQUIRE(straight.run.steps >= 4);
    const int64_t late = straight.run.steps / 2 + 1;  // in the second epoch
    CHECK(contains(error_text([&] {
                     checkpointed(cut_off(late + 1),
                                  {.directory = parts.path(), .every_steps = late});
                   }),
                   cut));
    const auto resumed = checkpointed(cut_off(0), {.directory = parts.path(), .resume = true});
    CHECK(resumed.weights.equal(straight.weights));
  }
}

TEST_CASE("Checkpoint within an epoch: a run that is stopped there leaves one") {
  struct StopAtStep {
    int64_t step;
    void on_step_end(mtl::TrainState& state) const {
      if (state.step == step) state.stop("the test stops here");
    }
  };
  const TemporaryFolder whole, parts;
  const auto straight = checkpointed({}, {.directory = whole.path()});
  const auto stopped = checkpointed({.callbacks = {StopAtStep{5}}},
                                    {.directory = parts.path(), .every_seconds = 1e6});
  CHECK(names_in(parts.path()) ==
        std::set<std::string>{"checkpoint.json", "step-000000005.safetensors"});
  const auto resumed = checkpointed({}, {.directory = parts.path(), .resume = true});
  CHECK(resumed.weights.equal(straight.weights));
  CHECK(contents(parts.path()) == contents(whole.path()));
}

TEST_CASE("Checkpoint within an epoch: after so many seconds") {
  const TemporaryFolder folder;
  const mtl::Checkpointing always{.directory = folder.path(), .keep = 9, .every_seconds = 1e-9};
  CHECK(contains(error_text([&] { checkpointed({.callbacks = {CutOff{3}}}, always); }), cut));
  CHECK(names_in(folder.path()) == std::set<std::string>{"checkpoint.json",
                                                         "step-000000001.safetensors",
                                                         "step-000000002.safetensors"});
}

// What the next test starts as a process of its own, to kill it.
TEST_CASE("Checkpoint within an epoch: the run in MTL_TEST_RUN_FOLDER", "[.]") {
  const char* out = std::getenv(run_folder);
  if (out == nullptr) return;  // asked for by its name
  long_run(out, /*resume=*/true);
}

TEST_CASE("Checkpoint within an epoch: killed at any moment, a run ends with the same bytes") {
  const TemporaryFolder whole, parts;
  const auto straight = long_run(whole.path(), false);
  ::setenv(run_folder, parts.path().c_str(), 1);
  for (const int milliseconds : {0, 23}) {
    const auto before = files_of(parts.path());
    const ::pid_t child = ::fork();
    if (child == 0) {
      const int nowhere = ::open("/dev/null", O_WRONLY);
      ::dup2(nowhere, STDOUT_FILENO);
      ::execl("/proc/self/exe", "tests",
              "Checkpoint within an epoch: the run in MTL_TEST_RUN_FOLDER", nullptr);
      std::_Exit(1);
    }
    int status = 0;  // the log is written anew as the run begins, or goes on
    while (::waitpid(child, &status, WNOHANG) == 0 &&
           (!std::filesystem::exists(parts / "checkpoint/checkpoint.json") ||
            files_of(parts.path()) == before))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
  }
  const auto resumed = long_run(parts.path(), true);
  CHECK(resumed.weights.equal(straight.weights));
  CHECK(contents(parts / "checkpoint") == contents(whole / "checkpoint"));
  CHECK(files_of(parts.path()) == files_of(whole.path()));
}

TEST_CASE("Checkpoint within an epoch: loaders are brought to the place, by skip where they can") {
  struct Counting : ListLoader {
    using ListLoader::ListLoader;
    int64_t read = 0;
    bool next(mtl::Batch& batch) {
      ++read;
      return ListLoader::next(batch);
    }
  };
  struct Skipping : Counting {
    using Counting::Counting;
    int64_t passed = 0;
    void skip(int64_t count) {
      passed += count;
      for (mtl::Batch batch; count > 0; --count) ListLoader::next(batch);
    }
  };
  /// Draws the order of an epoch from torch's own generator, as torch's samplers do.
  struct Drawing : Counting {
    using Counting::Counting;
    void start_epoch(int64_t epoch) {
      const auto first = torch::randint(batches(), {1}, torch::kLong).item<int64_t>();
      Counting::start_epoch(epoch);
      mtl::Batch passed;
      for (int64_t b = 0; b < first; ++b) ListLoader::next(passed);
      begun = first;
      left = batches();
    }
    bool next(mtl::Batch& batch) {
      if (left-- == 0) return false;
      if (begun++ == batches()) ListLoader::start_epoch(0);
      return Counting::next(batch);
    }
    int64_t begun = 0, left = 0;
  };
  const auto batches = [] { return batches_of(weather_like(64, 1)); };
  const auto weights_of = [&](auto& loader, const TemporaryFolder& folder, int64_t cut_off,
                              bool resume) {
    auto model = two_task_model(0.3);
    torch::optim::Adam adam(model->parameters(), 0.01);
    mtl::Sum sum;
    mtl::Trainer trainer(
        model, adam, sum,
        {.epochs = 2,
         .checkpoint = {.directory = folder.path(), .resume = resume, .every_steps = 13}});
    torch::manual_seed(resume ? 99 : 5);
    CHECK(error_text([&] { trainer.fit(loader, CutOff{cut_off}); }) == (cut_off > 0 ? cut : ""));
    return flat(model);
  };
  const auto check = [&](auto make, auto seen) {
    const TemporaryFolder whole, parts;
    auto undisturbed = make(), stopped = make(), resumed = make();
    const auto straight = weights_of(undisturbed, whole, 0, false);
    weights_of(stopped, parts, 14, false);  // in batch 6 of 8 of the second epoch
    CHECK(weights_of(resumed, parts, 0, true).equal(straight));
    seen(resumed);
  };
  check([&] { return Counting(batches()); },
        [](const Counting& loader) { CHECK(loader.read == 9); });
  check([&] { return Skipping(batches()); },
        [](const Skipping& loader) {
          CHECK(loader.passed == 4);  // the first is read: it may serve again at the epoch's end
          CHECK(loader.read == 1 + 3 + 1);
        });
  const auto nothing = [](const auto&) {};
  check([&] { return Drawing(batches()); }, nothing);
  const auto data = weather_like(64, 1);
  mtl::BatchLoader::Options options{.batch_size = 8, .shuffle = true, .seed = 2};
  check([&] { return mtl::BatchLoader(data, options); }, nothing);
  check([&] { return mtl::Prefetch(mtl::BatchLoader(data, options), {.device = torch::kCPU}); },
        nothing);
  options.transform = [](mtl::Batch& batch, torch::Generator& generator) {
    batch.inputs["x"] = batch.inputs["x"] * torch::randn({1}, generator);
  };
  check([&] { return mtl::BatchLoader(data, options); }, nothing);
}

TEST_CASE("Checkpoint within an epoch: what was skipped and left out is counted once") {
  const auto batches = [] {
    auto all = batches_of(weather_like(64, 1));
    all[1].inputs["x"] = all[1].inputs["x"].clone();
    all[1].inputs["x"][0][0] = std::nan("");
    all[4].complete = false;
    all[4].targets =
        mtl::NamedTensors({{"temp", torch::full({8}, std::nan(""))},
                           {"sky", torch::full({8}, mtl::missing_class, torch::kLong)}});
    return all;
  };
  const TemporaryFolder folder;
  const auto run = [&](int64_t cut_off, mtl::Checkpointing checkpoint) {
    auto model = two_task_model(0.3);
    torch::optim::SGD sgd(model->parameters(), 0.01);
    mtl::Sum sum;
    ListLoader loader(batches());
    auto options = skipping(2);
    options.checkpoint = checkpoint;
    mtl::Trainer trainer(model, sgd, sum, options);
    torch::manual_seed(checkpoint.resume ? 99 : 5);
    return std::pair(trainer.fit(loader, CutOff{cut_off}), flat(model));
  };
  const auto [straight, weights] = run(0, {});
  CHECK(contains(error_text([&] { run(7, {.directory = folder.path(), .every_steps = 6}); }), cut));
  const auto [resumed, again] = run(0, {.directory = folder.path(), .resume = true});
  CHECK(again.equal(weights));
  CHECK(resumed.history.csv() == straight.history.csv());
  CHECK(resumed.faulty_batches == 2);
  CHECK(resumed.unlabelled_batches == 2);
  CHECK(resumed.first_fault == straight.first_fault);
}
