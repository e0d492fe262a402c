// Cases whose answer is known: does a comparison find the word? The tests make one comparison of
// each; scripts/planted_cases.sh makes twenty, and a thousand of equals.
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <random>

#include "catch.hpp"
#include "mtl/combine/losses/sum.hpp"
#include "mtl/data/loader.hpp"
#include "mtl/evaluate/compare.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/sharing/hard_sharing.hpp"
#include "mtl/task/losses/mean_squared_error.hpp"
#include "mtl/train/trainer.hpp"
#include "mtl/train/validate.hpp"
#include "temporary_folder.hpp"

using namespace mtl::evaluate;

namespace {

int64_t count_from(const char* variable, int64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoll(text);
}

/// Two tasks, of whose rows the first are trained on, and how a network is trained on them.
struct Planted {
  mtl::Tensor x;        // [N, inputs]
  mtl::NamedTensors y;  // [N] each; NaN where a label is missing
  int64_t training_rows, width, batch_size, epochs;
};

/// The sum of tanh of so many directions of x, over some of its columns.
mtl::Tensor bent(const mtl::Tensor& x, int64_t from, int64_t columns, int64_t count, double steep) {
  const auto directions = torch::randn({columns, count}) * (steep / std::sqrt(columns));
  return torch::tanh(x.slice(1, from, from + columns).matmul(directions)).sum(1);
}

Planted planted_case(const std::string& word, uint64_t seed) {
  torch::manual_seed(seed);
  constexpr int64_t test_rows = 300;
  const float missing = std::nanf("");
  if (word == "helps") {  // one unit behind both, each task labelled on half of the rows
    const int64_t rows = 400, inputs = 40;
    const auto x = torch::randn({rows + test_rows, inputs});
    const auto f = bent(x, 0, inputs, 1, 1.0);
    auto a = f + 0.5 * torch::randn_like(f), b = f + 0.5 * torch::randn_like(f);
    a.slice(0, 0, rows / 2).fill_(missing);
    b.slice(0, rows / 2, rows).fill_(missing);
    return {x, {{"a", a}, {"b", b}}, rows, 1, 100, 125};
  }
  const int64_t rows = 240;
  const auto x = torch::randn({rows + test_rows, 8});
  const bool room = word == "no difference";  // for both; else two units, of which each needs two
  const auto a = bent(x, 0, 4, 2, 1.5), b = bent(x, 4, 4, 2, 1.5);
  const double noise = room ? 0.5 : 0.1;
  return {x,    {{"a", a + noise * torch::randn_like(a)}, {"b", b + noise * torch::randn_like(b)}},
          rows, room ? 64 : 2,
          24,   room ? 15 : 40};
}

Comparison compared(const Planted& planted, uint64_t first_seed) {
  const mtl::TensorDataset data({{"x", planted.x}}, planted.y);
  const auto rows = torch::arange(planted.x.size(0));
  const auto recipe = [&](const Trial& trial) {
    torch::manual_seed(trial.seed);
    mtl::TaskRegistry tasks;
    for (const auto& name : trial.tasks)
      tasks.add({.name = name,
                 .head = mtl::nn::LinearHead(planted.width, 1),
                 .loss = mtl::MeanSquaredError{}});
    mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = planted.x.size(1),
                                                .hidden_sizes = {planted.width},
                                                .activation = mtl::nn::Activation::tanh}),
                           tasks);
    torch::optim::Adam adam(model->parameters(), 2e-2);
    mtl::Sum combiner;
    mtl::BatchLoader train(data.rows(rows.slice(0, 0, planted.training_rows)),
                           {.batch_size = planted.batch_size, .shuffle = true, .seed = trial.seed});
    mtl::Trainer(model, adam, combiner, {.epochs = planted.epochs}).fit(train);
    mtl::BatchLoader test(data.rows(rows.slice(0, planted.training_rows)), {.batch_size = 300});
    return scores_of(mtl::validate(model, test));
  };
  const TemporaryFolder folder;
  return compare(
      {.tasks = {"a", "b"}, .seeds = 5, .first_seed = first_seed, .directory = folder.path()},
      recipe);
}

/// The comparisons, of so many, in which both tasks get the word.
int64_t right_words(const std::string& word, int64_t comparisons) {
  int64_t right = 0;
  for (int64_t n = 0; n < comparisons; ++n) {
    const auto seed = static_cast<uint64_t>(n);
    const Comparison comparison = compared(planted_case(word, 1000 + seed), 100 * seed);
    right += std::all_of(
        comparison.findings.begin(), comparison.findings.end(),
        [&](const auto& finding) { return name_of(finding.judgement.verdict) == word; });
    if (comparisons > 1) std::cout << word << ", comparison " << n << ":\n" << comparison.text();
  }
  std::cout << word << ": the right word in " << right << " of " << comparisons << '\n';
  return right;
}

/// How often a comparison of equals says anything but "no difference", of a thousand: two methods
/// on two tasks, scores by `draw`, which is given a number of its own for each score.
template <class Draw>
int64_t false_alarms(int64_t comparisons, int64_t seeds, Draw draw) {
  int64_t alarms = 0;
  for (int64_t n = 0; n < comparisons; ++n) {
    const auto recipe = [&](const Trial& trial) {
      std::vector<Score> scores;
      for (const std::string& task : trial.tasks) {
        std::seed_seq key{static_cast<uint32_t>(n), static_cast<uint32_t>(trial.seed),
                          static_cast<uint32_t>(task[0]), static_cast<uint32_t>(trial.method[1])};
        std::mt19937_64 random(key);
        scores.push_back({task, "score", draw(random), mtl::Better::higher});
      }
      return scores;
    };
    const TemporaryFolder folder;
    const Comparison comparison = compare({.tasks = {"a", "b"},
                                           .methods = {"one", "two"},
                                           .seeds = seeds,
                                           .directory = folder.path()},
                                          recipe);
    alarms += std::any_of(
        comparison.findings.begin(), comparison.findings.end(),
        [](const auto& finding) { return finding.judgement.verdict != Verdict::no_difference; });
  }
  return alarms;
}

}  // namespace

TEST_CASE("compare: planted cases get the right word", "[planted]") {
  const int64_t comparisons = count_from("MTL_PLANTED_COMPARISONS", 1);
  for (const std::string word : {"helps", "no difference", "harms"}) {
    INFO(word);
    CHECK(right_words(word, comparisons) >= (19 * comparisons + 19) / 20);
  }
}

TEST_CASE("compare: equals raise no more false alarms than the level says", "[planted]") {
  const int64_t comparisons = count_from("MTL_PLANTED_EQUALS", 10);
  const auto check = [&](const char* scores, int64_t seeds, auto draw) {
    const int64_t alarms = false_alarms(comparisons, seeds, draw);
    if (comparisons >= 1000)
      std::cout << scores << ", " << seeds << " seeds: " << alarms << " false alarms in "
                << comparisons << " comparisons of equals\n";
    INFO(scores << ", " << seeds << " seeds");
    CHECK(static_cast<double>(alarms) <= 0.05 * static_cast<double>(comparisons));
  };
  check("normal scores", 5, [](auto& random) { return std::normal_distribution()(random); });
  if (comparisons < 1000) return;
  check("normal scores", 3, [](auto& random) { return std::normal_distribution()(random); });
  check("skewed scores", 5, [](auto& random) { return std::exponential_distribution()(random); });
  const auto accuracy = [](auto& random) {
    return std::binomial_distribution<int>(100, 0.9)(random) / 100.0;
  };
  check("accuracies of 100 samples", 5, accuracy);
  check("accuracies of 100 samples", 3, accuracy);
  check("accuracies of 100 samples", 2, accuracy);
}
