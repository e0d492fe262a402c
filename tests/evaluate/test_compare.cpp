#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/combine/make_combiner.hpp"
#include "mtl/data/loader.hpp"
#include "mtl/evaluate/bootstrap.hpp"
#include "mtl/evaluate/compare.hpp"
#include "mtl/evaluate/delta_m.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/sharing/hard_sharing.hpp"
#include "mtl/task/losses/mean_squared_error.hpp"
#include "mtl/train/trainer.hpp"
#include "mtl/train/validate.hpp"
#include "temporary_folder.hpp"

using namespace mtl::evaluate;
using mtl::Better;

namespace {

// Scores without a network: a "good" method is better in task a and worse in b, "same" is neither.
std::vector<Score> made_up(const Trial& trial) {
  std::vector<Score> scores;
  for (const std::string& task : trial.tasks) {
    const double noise = 0.01 * static_cast<double>((trial.seed * 7 + trial.method.size()) % 5);
    double value = 1 + noise;
    if (trial.method == "good") value += task == "a" ? -0.5 : 0.5;
    scores.push_back({task, "loss", value, Better::lower});
    if (task == "a") scores.push_back({task, "accuracy", 2 - value, Better::higher});
  }
  return scores;
}

CompareOptions options_in(const std::filesystem::path& folder) {
  return {.tasks = {"a", "b"}, .methods = {"good", "same"}, .seeds = 6, .directory = folder};
}

}  // namespace

TEST_CASE("compare: by task the verdict in a word, and delta_m with its sign") {
  const TemporaryFolder folder;
  const auto comparison = compare(options_in(folder.path()), made_up);
  CHECK(comparison.at("good", "a", "accuracy").judgement.verdict == Verdict::helps);
  CHECK(comparison.at("good", "b", "loss").judgement.verdict == Verdict::harms);
  CHECK(comparison.at("same", "b", "loss").judgement.verdict == Verdict::no_difference);
  CHECK(comparison.at("good", "a", "accuracy").judged);
  CHECK_FALSE(comparison.at("good", "a", "loss").judged);
  CHECK(comparison.at("good", "a", "loss").joint.size() == 6);
  REQUIRE(comparison.delta_m.size() == 2);
  CHECK(comparison.delta_m[0].interval.low <= comparison.delta_m[0].value);
  CHECK(comparison.delta_m[0].interval.high >= comparison.delta_m[0].value);
  CHECK(contains(comparison.text(), "b loss: good"));
  CHECK(contains(comparison.text(), ": harms"));
  CHECK(contains(comparison.text(), "share one test set"));
  CHECK(contains(error_text([&] { comparison.at("good", "c", "loss"); }), "good/a/accuracy"));
}

TEST_CASE("compare: what is finished is not run again, what is of another identity is refused") {
  const TemporaryFolder folder;
  auto options = options_in(folder.path());
  int64_t runs = 0;
  const auto counted = [&](const Trial& trial) {
    if (++runs == 10) throw std::runtime_error("the power went");
    return made_up(trial);
  };
  CHECK(contains(error_text([&] { compare(options, counted); }), "the power went"));
  const auto resumed = compare(options, counted);
  CHECK(runs == 1 + 6 * 4);
  CHECK(resumed.text() == compare(options, counted).text());
  CHECK(runs == 1 + 6 * 4);
  options.identity = "other data";
  const auto text = error_text([&] { compare(options, counted); });
  CHECK(contains(text, "identity"));
  CHECK(contains(text, "other data"));
}

TEST_CASE("compare: runs in processes of their own give the same") {
  const TemporaryFolder here, there;
  auto options = options_in(there.path());
  options.processes = 3;
  options.memory = int64_t{1} << 40;
  const pid_t parent = getpid();
  const auto elsewhere = [&](const Trial& trial) {
    if (getpid() == parent) throw std::runtime_error("not in a process of its own");
    return made_up(trial);
  };
  CHECK(compare(options, elsewhere).text() == compare(options_in(here.path()), made_up).text());
}

TEST_CASE("compare: a run that fails or dies in its process is named, the others end") {
  const TemporaryFolder folder;
  auto options = options_in(folder.path());
  options.processes = 2;
  const auto throws = [](const Trial& trial) {
    if (trial.seed == 1 && trial.tasks == std::vector<std::string>{"a"})
      throw std::runtime_error("no such file");
    return made_up(trial);
  };
  const auto thrown = error_text([&] { compare(options, throws); });
  CHECK(contains(thrown, "single-task \"a\", seed 1: no such file"));
  const auto dies = [](const Trial& trial) {
    if (trial.seed == 1) kill(getpid(), SIGKILL);
    return made_up(trial);
  };
  CHECK(contains(error_text([&] { compare(options, dies); }), "signal 9"));
}

TEST_CASE("compare: auxiliary tasks are shown and get no verdict, kept runs included") {
  const TemporaryFolder folder;
  const auto helped = [](const Trial& trial) {
    auto scores = made_up(trial);
    for (Score& score : scores)  // alone it is no auxiliary task
      score.auxiliary = score.task == "b" && trial.tasks.size() > 1;
    return scores;
  };
  for (int again = 0; again < 2; ++again) {
    const auto comparison = compare(options_in(folder.path()), helped);
    const auto& finding = comparison.at("good", "b", "loss");
    CHECK(finding.auxiliary);
    CHECK_FALSE(finding.judged);
    CHECK_FALSE(comparison.at("good", "a", "accuracy").auxiliary);
    CHECK(contains(comparison.text(), "b (auxiliary) loss: good"));
    CHECK(comparison.delta_m[0].value > 0);  // b is harmed, and does not count
    CHECK(comparison.json()["findings"][2]["auxiliary"] == true);
  }
}

TEST_CASE("compare: the verdict on each method in a sentence") {
  const TemporaryFolder folder;
  const auto sentences = compare(options_in(folder.path()), made_up).verdicts();
  REQUIRE(sentences.size() == 2);
  CHECK(contains(sentences[0],
                 "good, beside one model a task, helps a (accuracy 1.477 instead of 0.98"));
  CHECK(contains(sentences[0], " and harms b (loss 1.523 instead of 1.018)"));
  CHECK(contains(sentences[0], "Mean relative gain "));
  CHECK(contains(sentences[0], " % (95 % interval "));
  CHECK(contains(sentences[1], "makes no difference that 6 runs can show to a and b. Mean"));
}

TEST_CASE("compare: delta_m is that of the means, its interval the bootstrap's over seeds") {
  const TemporaryFolder folder;
  const auto comparison = compare(options_in(folder.path()), made_up);
  const auto& a = comparison.at("good", "a", "accuracy");
  const auto& b = comparison.at("good", "b", "loss");
  const auto gain_of = [&](std::span<const size_t> places) {
    std::vector<TaskGain> gains{{"a", 0, 0, a.better}, {"b", 0, 0, b.better}};
    for (const size_t place : places) {
      gains[0].joint += a.joint[place] / 6;
      gains[0].single += a.single[place] / 6;
      gains[1].joint += b.joint[place] / 6;
      gains[1].single += b.single[place] / 6;
    }
    return delta_m(gains);
  };
  const std::vector<size_t> all{0, 1, 2, 3, 4, 5};
  CHECK(comparison.delta_m[0].value == gain_of(all));
  const auto interval = bootstrap_interval(6, gain_of, 0.95);
  CHECK(comparison.delta_m[0].interval.low == interval.low);
  CHECK(comparison.delta_m[0].interval.high == interval.high);
}

TEST_CASE("compare: a run that gave no number decides nothing and is kept") {
  const TemporaryFolder folder;
  const auto lost = [](const Trial& trial) {
    auto scores = made_up(trial);
    if (trial.method == "good" && trial.seed == 2) scores.back().value = std::nan("");
    return scores;
  };
  compare(options_in(folder.path()), lost);
  const auto comparison = compare(options_in(folder.path()), made_up);  // read, not run
  CHECK(comparison.at("good", "b", "loss").judgement.verdict == Verdict::undecided);
  CHECK(comparison.at("good", "a", "accuracy").judgement.verdict == Verdict::helps);
  CHECK(std::isnan(comparison.delta_m[0].value));
  CHECK(comparison.json()["delta_m"][0]["value"].dump() == "null");
}

TEST_CASE("compare: options and recipes that make no sense are refused before anything runs") {
  const TemporaryFolder folder;
  const auto text_of = [&](auto change) {
    auto options = options_in(folder.path() / "new");
    change(options);
    return error_text([&] { compare(options, made_up); });
  };
  CHECK(contains(text_of([](auto& o) { o.tasks = {}; }), "needs tasks"));
  CHECK(contains(text_of([](auto& o) { o.methods = {"x:1", "x=1"}; }), "x=1"));
  CHECK(contains(text_of([](auto& o) { o.methods = {"single-task"}; }), "another name"));
  CHECK(contains(text_of([](auto& o) { o.seeds = 0; }), "seeds = 0"));
  CHECK(contains(text_of([](auto& o) { o.processes = 0; }), "processes = 0"));
  CHECK(contains(text_of([](auto& o) { o.directory.clear(); }), "directory"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "new"));
  const auto foreign = [](const Trial&) { return std::vector<Score>{{"c", "loss", 1}}; };
  CHECK(contains(error_text([&] { compare(options_in(folder.path()), foreign); }), "\"a\""));
}

TEST_CASE("compare: a metric that comes twice, or counts both ways, is refused by name") {
  const auto error = [](const Recipe& recipe) {
    const TemporaryFolder folder;
    return error_text([&] { compare(options_in(folder.path()), recipe); });
  };
  CHECK(contains(error([](const Trial& trial) {
                   auto scores = made_up(trial);
                   scores.push_back({"a", "loss", 7, Better::lower});
                   return scores;
                 }),
                 "the recipe gave task \"a\" two scores \"loss\""));
  CHECK(contains(error([](const Trial& trial) {
                   auto scores = made_up(trial);
                   if (trial.method == "good") scores[0].better = Better::higher;
                   return scores;
                 }),
                 "method \"good\", seed 0: loss of task \"a\" is better when higher, in other "
                 "runs when lower"));
}

TEST_CASE("compare: a folder that cannot be made is named") {
  const TemporaryFolder folder;
  std::ofstream(folder / "file") << "text";
  CHECK(contains(error_text([&] { compare(options_in(folder / "file" / "runs"), made_up); }),
                 "cannot make the folder"));
}

TEST_CASE("compare: scores that are damaged are named") {
  const TemporaryFolder folder;
  compare(options_in(folder.path()), made_up);
  const auto file = folder.path() / "good" / "seed-3" / "scores.json";
  std::ofstream(file) << R"({"identity": "", "method": "good"})";
  CHECK(contains(error_text([&] { compare(options_in(folder.path()), made_up); }), file.string()));
}

TEST_CASE("compare: a recipe with trainer and combiner, in ten lines") {
  const TemporaryFolder folder;
  torch::manual_seed(0);
  const auto x = torch::randn({64, 4});
  const auto signal = x.select(1, 0) - x.select(1, 1);
  mtl::TensorDataset data({{"x", x}}, {{"a", signal}, {"b", 2 * signal}});
  const auto recipe = [&](const Trial& trial) {
    torch::manual_seed(trial.seed);
    mtl::TaskRegistry tasks;
    for (const auto& name : trial.tasks)
      tasks.add({.name = name, .head = mtl::nn::LinearHead(8, 1), .loss = mtl::MeanSquaredError{}});
    mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = 4, .hidden_sizes = {8}}), tasks);
    torch::optim::Adam adam(model->parameters(), 1e-2);
    const auto combiner = mtl::make_combiner(trial.tasks.size() > 1 ? trial.method : "sum", tasks);
    mtl::BatchLoader train(data, {.batch_size = 16, .shuffle = true, .seed = trial.seed});
    mtl::Trainer(model, adam, *combiner, {.epochs = 2}).fit(train);
    mtl::BatchLoader test(data);
    return scores_of(mtl::validate(model, test));
  };
  const CompareOptions options{
      .tasks = {"a", "b"}, .methods = {"sum", "upgrad"}, .seeds = 2, .directory = folder.path()};
  const auto comparison = compare(options, recipe);
  CHECK(comparison.findings.size() == 4);
  CHECK(comparison.at("upgrad", "b", "loss").joint.size() == 2);
  CHECK(comparison.at("sum", "a", "loss").single == comparison.at("upgrad", "a", "loss").single);
}
