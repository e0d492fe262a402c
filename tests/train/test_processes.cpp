#include "mtl/train/distributed/processes.hpp"

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <sstream>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/combine/combine.hpp"
#include "mtl/io/io.hpp"
#include "mtl/train/train.hpp"
#include "process_jobs.hpp"
#include "spawned.hpp"
#include "temporary_folder.hpp"
#include "two_task_problem.hpp"

// What has a short name here is no other test's business where several are one translation unit.
namespace several_processes {
namespace {

namespace fs = std::filesystem;
using namespace process_jobs;
using mtl::Processes;
using torch::Tensor;

// Batches of 12 rows, the last of 2: with four processes two of them have no row of it.
constexpr int64_t rows = 50, batch_size = 12, epochs = 10;  // 5 batches an epoch: 50 steps

/// Two thirds of the labels of each task are there; rows differ in weight.
mtl::TensorDataset gappy_data() {
  auto generator = mtl::make_generator(5);
  const Tensor x = torch::randn({rows, 5}, generator);
  Tensor temp = x.select(1, 0) * 2 + x.select(1, 1);
  Tensor sky = (x.select(1, 2) > 0).to(torch::kLong);
  for (int64_t row = 0; row < rows; ++row) {
    if (row % 3 == 0 || row < 4) temp[row] = std::numeric_limits<float>::quiet_NaN();
    if (row % 5 < 2) sky[row] = mtl::missing_class;
  }
  return mtl::TensorDataset({{"x", x}}, {{"temp", temp}, {"sky", sky}},
                            0.5 + torch::rand({rows}, generator));
}

mtl::BatchLoader loader_of(const mtl::TensorDataset& data) {
  return mtl::BatchLoader(data, {.batch_size = batch_size, .shuffle = true, .seed = 7});
}

/// Shares of one size, of several rows each.
mtl::BatchLoader whole_batches() {
  return mtl::BatchLoader(gappy_data(), {.batch_size = batch_size, .drop_last = true});
}

struct Outcome {
  Tensor weights;
  std::vector<double> history;
};

std::vector<double> numbers_of(const std::string& csv) {
  std::vector<double> numbers;
  std::istringstream lines(csv);
  std::string line, cell;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    while (std::getline(cells, cell, ',')) numbers.push_back(cell.empty() ? 0 : std::stod(cell));
  }
  return numbers;
}

/// 50 steps by one process or several.
Outcome trained(const std::string& combiner_text, Processes* processes, int64_t accumulate = 1) {
  auto model = two_task_model();
  torch::optim::SGD optimizer(model->parameters(), torch::optim::SGDOptions(0.02).momentum(0.5));
  auto combiner = mtl::make_combiner(combiner_text, model->tasks());
  auto train = loader_of(gappy_data()), valid = loader_of(gappy_data());
  mtl::Trainer trainer(
      model, optimizer, std::move(combiner),
      {.epochs = epochs, .max_grad_norm = 3, .accumulate = accumulate, .processes = processes});
  const auto run = trainer.fit(train, valid);
  return {flat(model), numbers_of(run.history.csv())};
}

/// The same by a loop of one's own, in which combiner and processes know no trainer.
Outcome own_loop(const Processes& processes) {
  auto model = two_task_model();
  torch::optim::SGD optimizer(model->parameters(), 0.02);
  mtl::UpGrad combiner;
  auto loader = loader_of(gappy_data());
  mtl::Batch batch;
  while (loader.next(batch)) {
    const mtl::Batch share = processes.share(batch);
    mtl::TaskLosses losses;
    losses.task_count = 2;
    if (mtl::size(share) > 0)
      losses = mtl::task_losses(*model, model->forward(share.inputs), share);
    optimizer.zero_grad();
    combiner.backward(processes.joined(losses, *model), *model);
    optimizer.step();
  }
  return {flat(model), {}};
}

/// What a combiner says of steps whose weights it solved and of those between them, at the
/// representation.
Outcome reports(Processes* processes) {
  auto model = two_task_model();
  torch::optim::SGD optimizer(model->parameters(), 0.02);
  auto train = loader_of(gappy_data());
  mtl::CombinerLog log{.every = 1};
  mtl::Trainer(model, optimizer, mtl::UpGrad({.at = mtl::GradientSite::representation, .every = 2}),
               {.epochs = 2, .processes = processes})
      .fit(train, log);
  std::vector<double> numbers;
  for (const auto& entry : log.entries)
    for (const auto* values : {&entry.report.norms, &entry.report.shares})
      numbers.insert(numbers.end(), values->begin(), values->end());
  return {flat(model), numbers};
}

/// An embedding whose gradient is sparse.
Outcome embedded(const std::string& combiner, Processes* processes) {
  torch::manual_seed(3);
  mtl::TaskRegistry tasks;
  for (const auto* name : {"a", "b"})
    tasks.add({.name = name, .head = mtl::nn::LinearHead(4, 1), .loss = squared_error});
  mtl::HardSharing model(
      torch::nn::Sequential(torch::nn::Embedding(torch::nn::EmbeddingOptions(7, 4).sparse(true))),
      tasks);
  torch::optim::SGD optimizer(model->parameters(), 0.02);
  const Tensor words = torch::arange(rows).remainder(7);
  mtl::BatchLoader train(mtl::TensorDataset({{"x", words}}, {{"a", words * 1.0}, {"b", -words}}),
                         {.batch_size = batch_size});
  mtl::Trainer(model, optimizer, mtl::make_combiner(combiner),
               {.epochs = 3, .max_grad_norm = 1, .processes = processes})
      .fit(train);
  return {flat(model), {}};
}

const std::vector<std::string> combiners = {"sum",      "kendall",
                                            "famo",     "mgda",
                                            "pcgrad",   "upgrad",
                                            "nash",     "graddrop",
                                            "moml",     "modo",
                                            "gradvac",  "upgrad:at=representation",
                                            "gradnorm", "mgda:at=representation",
                                            "aligned"};

/// Every job by its name, in an order that all processes have.
std::map<std::string, Outcome> all_jobs(Processes* processes) {
  std::map<std::string, Outcome> outcomes;
  for (const std::string& combiner : combiners) outcomes[combiner] = trained(combiner, processes);
  outcomes["accumulated"] = trained("kendall", processes, 2);
  outcomes["reports"] = reports(processes);
  for (const auto* combiner : {"sum", "upgrad"})
    outcomes[std::string("embedded, ") + combiner] = embedded(combiner, processes);
  const Processes alone;
  outcomes["own loop"] = own_loop(processes == nullptr ? alone : *processes);
  return outcomes;
}

void save(const fs::path& file, const std::map<std::string, Outcome>& outcomes) {
  mtl::NamedTensors all;
  for (const auto& [name, outcome] : outcomes) {
    all.insert(name + ".weights", outcome.weights);
    all.insert(name + ".history", torch::tensor(outcome.history, torch::kDouble));
  }
  mtl::io::write_safetensors(file, all);
}

/// Ends its process, or stops it, at step 13 of one of the processes.
struct AtStep13 {
  int64_t rank;
  int signal;
  void on_step_end(mtl::TrainState& state) const {
    if (state.step == 13 && std::getenv("RANK") == std::to_string(rank)) ::raise(signal);
  }
};

struct StopsAtStep8 {
  void on_step_end(mtl::TrainState& state) const {
    if (state.step == 8) state.stop("step 8 is enough");
  }
};

/// A run with dropout and checkpoints; `signal` 0: nothing happens to it.
std::string checkpointed(Processes& processes, const fs::path& directory, bool resume, int signal,
                         Tensor* weights = nullptr) {
  auto model = two_task_model(0.3);
  torch::optim::Adam optimizer(model->parameters(), 0.01);
  mtl::Trainer trainer(model, optimizer, mtl::Mgda(),
                       {.epochs = 4,
                        .checkpoint = {.directory = directory, .resume = resume, .every_steps = 1},
                        .processes = &processes});
  auto train = loader_of(gappy_data());
  std::string text = error_text([&] {
    trainer.fit(train, mtl::BestModel{.file = directory / "best.safetensors"}, AtStep13{1, signal});
  });
  if (weights != nullptr) *weights = flat(model);
  return text;
}

double furthest(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace

// What the spawned processes do.
TEST_CASE("worker of several processes", "[.]") {
  Processes processes = Processes::from_environment(
      {.timeout = std::chrono::seconds(job_is("hang") ? 3 : 60), .bucket_bytes = 100});
  if (job_is("exact")) {
    save(own_file("exact"), all_jobs(&processes));
    // What each draws of torch's generator for itself does not show in the batch norm's statistics.
    auto model = normed_model();
    for (auto& parameter : model->parameters()) parameter.requires_grad_(true);
    torch::optim::SGD still(model->parameters(), 0.0);
    auto train = whole_batches();
    mtl::Trainer(model, still, mtl::Famo(), {.epochs = 2, .processes = &processes}).fit(train);
    mtl::NamedTensors buffers;
    for (const auto& item : model->named_buffers()) buffers.insert(item.key(), item.value());
    mtl::io::write_safetensors(own_file("buffers"), buffers);
    return;
  }
  if (job_is("faults")) {
    auto data = gappy_data();
    auto batches = batches_of(data);
    batches[2].inputs["x"][6][0] = std::numeric_limits<float>::quiet_NaN();  // of process 1
    ListLoader train(batches);
    auto model = two_task_model();
    torch::optim::SGD optimizer(model->parameters(), 0.02);
    mtl::TrainerOptions options = skipping(2);
    options.processes = &processes;
    const auto run = mtl::Trainer(model, optimizer, mtl::UpGrad(), options).fit(train);
    write_weights("skipped", flat(model));
    write_text("skipped_text", std::to_string(run.faulty_batches) + " " + run.first_fault);
    std::vector<mtl::Callback> callbacks;
    if (!processes.is_first()) callbacks.emplace_back(StopsAtStep8{});
    auto whole = loader_of(gappy_data());
    const auto stopped =
        mtl::Trainer(model, optimizer, mtl::Sum(), {.epochs = 5, .processes = &processes})
            .fit(whole, callbacks);
    write_text("stopped", std::to_string(stopped.steps) + " " + stopped.stop_text);
    options.faulty_batch = mtl::FaultyBatch::stop;
    write_text("error", error_text([&] {
                 mtl::Trainer(model, optimizer, mtl::UpGrad(), options).fit(train);
               }));
    return;
  }
  Tensor weights;
  const std::string signal = std::getenv("MTL_TEST_SIGNAL");
  write_text("text",
             checkpointed(processes, folder() / std::getenv("MTL_TEST_RUN"),
                          !job_is("killed") && !job_is("hang"), std::stoi(signal), &weights));
  write_weights("weights", weights);
}

TEST_CASE("processes: several train as one does on the joined batches") {
  if (without_gloo()) return;
  const auto alone = all_jobs(nullptr);
  auto normed = normed_model();
  {
    torch::optim::SGD still(normed->parameters(), 0.0);
    auto train = whole_batches();
    mtl::Trainer(normed, still, mtl::Famo(), {.epochs = 2}).fit(train);
  }
  const auto buffers = normed->named_buffers();
  for (const int count : {2, 4}) {
    const TemporaryFolder folder;
    Spawned spawned(count, "worker of several processes", job(folder, "exact"));
    for (int rank = 0; rank < count; ++rank) REQUIRE(spawned.ended(rank) == 0);
    const auto first = mtl::io::read_safetensors(folder / "exact.0");
    for (int rank = 0; rank < count; ++rank) {
      const auto own = mtl::io::read_safetensors(folder / ("exact." + std::to_string(rank)));
      for (const auto& [name, outcome] : alone) {
        INFO(name << ", process " << rank << " of " << count);
        CHECK(torch::equal(own[name + ".weights"], first[name + ".weights"]));
        CHECK(furthest(own[name + ".weights"], outcome.weights) < 1e-5);
        const Tensor history = torch::tensor(outcome.history, torch::kDouble);
        REQUIRE(own[name + ".history"].sizes() == history.sizes());
        if (history.numel() > 0) CHECK(furthest(own[name + ".history"], history) < 2e-5);
      }
      const auto statistics =
          mtl::io::read_safetensors(folder / ("buffers." + std::to_string(rank)));
      for (const auto& item : buffers) {
        INFO(item.key());
        // The variance within shares leaves out what lies between them.
        if (item.key().find("running_mean") != std::string::npos)
          CHECK(furthest(statistics[item.key()], item.value()) < 1e-5);
        if (item.key().find("num_batches") != std::string::npos)
          CHECK(statistics[item.key()].item<int64_t>() == item.value().item<int64_t>());
      }
    }
  }
}

TEST_CASE("processes: what is wrong with one share, and who stops, all know") {
  if (without_gloo()) return;
  const TemporaryFolder folder;
  Spawned spawned(2, "worker of several processes", job(folder, "faults"));
  for (int rank : {0, 1}) REQUIRE(spawned.ended(rank) == 0);
  CHECK(torch::equal(read_weights(folder.path(), "skipped", 0),
                     read_weights(folder.path(), "skipped", 1)));
  for (int rank : {0, 1}) {
    const std::string skipped = read_text(folder.path(), "skipped_text", rank);
    INFO(skipped);
    CHECK(skipped.starts_with("2 "));
    CHECK(contains(skipped, "process 1: task \"temp\""));
    CHECK(contains(skipped, "input \"x\" holds NaN or infinity in row 2"));
    CHECK(read_text(folder.path(), "stopped", rank) == "8 step 8 is enough");
    const std::string error = read_text(folder.path(), "error", rank);
    INFO(error);
    CHECK(contains(error, "epoch 1, batch 3 of 7: process 1: task \"temp\""));
  }
}

TEST_CASE("processes: a process that dies ends the others, and the run goes on") {
  if (without_gloo()) return;
  const TemporaryFolder folder;
  const auto run = [&](int count, const std::string& name, const std::string& kind, int signal) {
    auto variables = job(folder, kind);
    variables.push_back("MTL_TEST_RUN=" + name);
    variables.push_back("MTL_TEST_SIGNAL=" + std::to_string(signal));
    auto spawned =
        std::make_unique<Spawned>(count, "worker of several processes", std::move(variables));
    return spawned;
  };
  {
    auto undisturbed = run(2, "undisturbed", "killed", 0);
    for (size_t rank : {0, 1}) REQUIRE(undisturbed->ended(rank) == 0);
  }
  const Tensor expected = read_weights(folder.path(), "weights", 0);
  CHECK(torch::equal(read_weights(folder.path(), "weights", 1), expected));
  {
    auto killed = run(2, "killed", "killed", SIGKILL);
    REQUIRE(killed->ended(1) == -SIGKILL);
    REQUIRE(killed->ended(0) == 0);
    const std::string text = read_text(folder.path(), "text", 0);
    INFO(text);
    CHECK(contains(text, "process 0 of 2: the exchange with the others failed"));
    CHECK(contains(text, "`resume`"));
  }
  fs::copy(folder / "killed", folder / "copy", fs::copy_options::recursive);
  {
    auto resumed = run(2, "killed", "resumed", 0);
    for (size_t rank : {0, 1}) REQUIRE(resumed->ended(rank) == 0);
    CHECK(torch::equal(read_weights(folder.path(), "weights", 0), expected));
    CHECK(torch::equal(read_weights(folder.path(), "weights", 1), expected));
  }
  {  // with another number of processes: other draws of the dropout, the same run otherwise
    auto resumed = run(3, "copy", "resumed", 0);
    for (size_t rank : {0, 1, 2}) REQUIRE(resumed->ended(rank) == 0);
    const Tensor weights = read_weights(folder.path(), "weights", 0);
    for (int rank : {1, 2})
      CHECK(torch::equal(read_weights(folder.path(), "weights", rank), weights));
    CHECK(furthest(weights, expected) < 0.2);
    CHECK_FALSE(torch::equal(weights, expected));
  }
}

TEST_CASE("processes: one that hangs is given up after the time-out") {
  if (without_gloo()) return;
  const TemporaryFolder folder;
  auto variables = job(folder, "hang");
  variables.push_back("MTL_TEST_RUN=run");
  variables.push_back("MTL_TEST_SIGNAL=" + std::to_string(SIGSTOP));
  Spawned spawned(2, "worker of several processes", std::move(variables));
  REQUIRE(spawned.ended(0) == 0);
  const std::string text = read_text(folder.path(), "text", 0);
  INFO(text);
  CHECK(contains(text, "hangs for longer than 3 s"));
}

TEST_CASE("processes: shares of a batch are its rows in order") {
  const auto whole = gappy_data().get(torch::arange(11));
  const Processes alone;
  CHECK(mtl::size(alone.share(whole)) == 11);
  CHECK(alone.count() == 1);
  auto loader = loader_of(gappy_data()), other = loader_of(gappy_data());
  mtl::Batch batch;
  for (int64_t b = 0; b < loader.batches(); ++b) {
    std::vector<Tensor> parts;
    REQUIRE(loader.next(batch));
    for (int64_t rank = 0; rank < 4; ++rank) {
      auto own = loader_of(gappy_data());
      own.skip(b);
      mtl::Batch share;
      REQUIRE(own.next_share(share, rank, 4));
      CHECK(share.sample_weights.size(0) == mtl::size(share));
      parts.push_back(share.inputs["x"]);
    }
    CHECK(torch::equal(torch::cat(parts), batch.inputs["x"]));
  }
}

TEST_CASE("processes: what the environment says has to make sense") {
  const auto with = [](std::map<std::string, std::string> variables) {
    for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_PORT"}) ::unsetenv(name);
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    const std::string text = error_text([] { Processes::from_environment(); });
    for (const auto& [name, value] : variables) ::unsetenv(name.c_str());
    return text;
  };
  CHECK(with({}).empty());
  CHECK(with({{"RANK", "0"}, {"WORLD_SIZE", "1"}}).empty());
  CHECK(contains(with({{"RANK", "0"}}), "of the environment variables RANK and WORLD_SIZE"));
  CHECK(contains(with({{"RANK", "one"}, {"WORLD_SIZE", "2"}}), "RANK is \"one\""));
  CHECK(contains(with({{"RANK", "2"}, {"WORLD_SIZE", "2"}}), "found process 2 of 2"));
  CHECK(contains(with({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_PORT", "0"}}), "found port 0"));
  CHECK(contains(error_text([] {
                   Processes(0, 1, "127.0.0.1", 29500, {.timeout = std::chrono::milliseconds(0)});
                 }),
                 "timeout"));
}

}  // namespace several_processes
