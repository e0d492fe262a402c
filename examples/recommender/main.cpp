// Purchases, learnt from clicks alone and otherwise: table and picture of docs/recommender.md.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "recommender/data.hpp"

namespace {

using namespace recommender;
using mtl::evaluate::Score;
using mtl::evaluate::Trial;
using Names = std::vector<std::string>;

struct Options {
  std::filesystem::path adult, out = "runs/recommender";
  int64_t rows = 40000, epochs = 6, seeds = 5, processes = 2;
};

/// The tasks behind a way of sharing, of about the same size each. In ESMM purchases after a click
/// have no loss of their own: they are learnt as a factor of purchases.
std::shared_ptr<mtl::Model> make_model(const std::string& way, int64_t inputs, const Names& names) {
  const auto tasks = [&](int64_t width) {
    mtl::TaskRegistry registry;
    for (const std::string& name : names)
      registry.add(
          {.name = name,
           .head = mtl::nn::MlpHead({.input_size = width, .hidden_sizes = {16}, .output_size = 1}),
           .loss = way.starts_with("esmm") && name == "buy_after_click"
                       ? mtl::Loss(mtl::NoLoss{})
                       : mtl::Loss(mtl::BinaryCrossEntropy{}),
           .metrics = {mtl::RocAuc{}}});
    return registry;
  };
  const auto experts = [](int64_t count, int64_t in) {
    return mtl::several(
        count, [in] { return mtl::nn::MlpEncoder({.input_size = in, .hidden_sizes = {16}}); });
  };
  if (way.ends_with("mmoe"))
    return mtl::MixtureOfExperts(experts(4, inputs), tasks(16), {.gate_input_size = inputs}).ptr();
  if (way.ends_with("ple")) {
    const auto level = [&](int64_t in) {
      return mtl::ProgressiveLayeredExtraction::Level{
          {experts(1, in), experts(1, in)}, experts(1, in), in};
    };
    return mtl::ProgressiveLayeredExtraction({level(inputs), level(16)}, tasks(16)).ptr();
  }
  const mtl::nn::MlpEncoder encoder({.input_size = inputs, .hidden_sizes = {48}});
  return mtl::HardSharing(encoder, tasks(48)).ptr();
}

std::shared_ptr<mtl::Model> shop_model(const Shop& shop, const std::string& way,
                                       const Names& names) {
  mtl::JoinedInputs joined({{"user", torch::nn::Embedding(shop.users, 8)},
                            {"item", torch::nn::Embedding(shop.items, 8)}},
                           make_model(way, 8 + 8, names));
  if (!way.starts_with("esmm")) return joined.ptr();
  const mtl::DerivedTask buy{{.name = "buy", .loss = mtl::BinaryCrossEntropy{}},
                             {"click", "buy_after_click"},
                             mtl::JointLogit{}};
  return mtl::DerivedTasks(joined, {buy}).ptr();
}

void fit(const std::shared_ptr<mtl::Model>& model, const mtl::TensorDataset& train,
         const mtl::TensorDataset& valid, uint64_t seed, int64_t epochs) {
  torch::optim::Adam adam(model->parameters(), 5e-3);
  mtl::BatchLoader loader(train, {.batch_size = 512, .shuffle = true, .seed = seed});
  mtl::BatchLoader validation(valid, {.batch_size = 4096});
  mtl::Trainer(model, adam, mtl::Sum(), {.epochs = epochs})
      .fit(loader, validation, mtl::BestModel{});
}

std::vector<Score> shop_trial(const Shop& shop, const Trial& trial, const Options& options) {
  torch::Generator random = mtl::make_generator(mtl::mix_seed(trial.seed, 1));
  const auto draw = [&](int64_t rows) {
    const mtl::TensorDataset log = shop_log(
        shop, torch::randint(shop.users * shop.items, {rows}, random, torch::kLong), random);
    if (trial.tasks != Names{"buy_after_click"}) return log;
    return log.rows(log.targets()["click"].nonzero().flatten());  // nothing else teaches it
  };
  const mtl::TensorDataset train = draw(options.rows), valid = draw(options.rows / 4);
  torch::manual_seed(trial.seed);
  const auto model = shop_model(shop, trial.method, trial.tasks);
  const int64_t epochs = options.epochs * options.rows / train.size();  // as many steps for all
  fit(model, train, valid, trial.seed, epochs);
  const Tensor pairs = torch::arange(shop.users * shop.items);  // every user with every item
  mtl::BatchLoader all(shop_log(shop, pairs, random), {.batch_size = 8192});
  const auto found = mtl::predict(model, all).predictions;
  std::vector<Score> scores;
  for (const std::string& task : trial.tasks) {
    const Tensor error =
        found[task].flatten().sigmoid() - (task == "click" ? shop.click : shop.buy);
    const auto add = [&](const char* metric, const Tensor& value) {
      scores.push_back({task, metric, value.item<double>(), mtl::Better::lower});
    };
    const Tensor of_clicks = shop.click / shop.click.sum();
    add("error over all impressions", error.square().mean().sqrt());
    if (task == "click") continue;
    add("error over clicks", (error.square() * of_clicks).sum().sqrt());
    add("too much over all impressions", error.mean());
    add("too much over clicks", (error * of_clicks).sum());
  }
  return scores;
}

std::vector<Score> adult_trial(const mtl::TensorDataset& data, const Trial& trial,
                               const Options& options) {
  const auto [train, valid, test] = mtl::random_split(data.size(), {0.6, 0.15, 0.25}, 0);
  torch::manual_seed(trial.seed);
  const auto model = make_model(trial.method, data.inputs()["x"].size(1), trial.tasks);
  fit(model, data.rows(train), data.rows(valid), trial.seed, options.epochs);
  mtl::BatchLoader unseen(data.rows(test), {.batch_size = 4096});
  return mtl::evaluate::scores_of(mtl::validate(model, unseen));
}

/// By how much purchases after a click are thought too likely, with intervals over seeds.
mtl::report::Figure bias(const mtl::evaluate::Comparison& comparison, const Names& methods) {
  mtl::report::IntervalChart chart{.title = "Purchases after a click: said minus true chance",
                                   .x_label = "mean over impressions",
                                   .zero_line = true};
  const auto add = [&](const std::string& name, const std::vector<double>& values) {
    const auto interval = mtl::evaluate::confidence_interval(values);
    chart.estimates.push_back({name, mtl::evaluate::mean(values), interval.low, interval.high});
  };
  for (const std::string over : {"clicks", "all impressions"}) {
    const auto finding = [&](const std::string& method) {
      return comparison.at(method, "buy_after_click", "too much over " + over);
    };
    add("single-task, " + over, finding(methods[0]).single);
    for (const std::string& method : methods) add(method + ", " + over, finding(method).joint);
  }
  return mtl::report::interval_chart(chart);
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app(
      "Clicks and purchases of a simulated shop whose truth is known: learnt apart, together, and "
      "with ESMM, MMoE and PLE. With --adult two tasks of UCI Adult instead.");
  app.add_option("--adult", options.adult, "UCI's adult.data")->check(CLI::ExistingFile);
  const auto number = [&](const char* name, int64_t& value, const char* help) {
    app.add_option(name, value, help)->check(CLI::PositiveNumber)->capture_default_str();
  };
  number("--rows", options.rows, "Impressions to learn from");
  number("--epochs", options.epochs, "The best one counts, by rows that are not learnt from");
  number("--seeds", options.seeds, "Runs of each");
  number("--processes", options.processes, "Runs at once");
  app.add_option("--out", options.out, "Folder for what comes out")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  torch::set_num_threads(1);
  const bool adult = !options.adult.empty();
  const Shop shop = open_shop(0);
  const auto census = adult ? std::optional(read_adult(options.adult)) : std::nullopt;
  const Names methods =
      adult ? Names{"shared", "mmoe", "ple"} : Names{"shared", "esmm", "esmm-mmoe", "esmm-ple"};
  const auto comparison = mtl::evaluate::compare(
      {.tasks = adult ? Names{"income", "never_married"} : Names{"click", "buy_after_click"},
       .methods = methods,
       .seeds = options.seeds,
       .directory = options.out / "compare",
       .identity = fmt::format("{} {} {}", options.adult.string(), options.rows, options.epochs),
       .processes = options.processes},
      [&](const Trial& trial) {
        return adult ? adult_trial(*census, trial, options) : shop_trial(shop, trial, options);
      });
  mtl::io::write_json(options.out / "comparison.json", comparison.json());
  fmt::print("{}", comparison.text());
  mtl::report::ComparisonReport report{.title = "Joint networks beside single-task ones"};
  if (!adult) report.figures = {{"recommender", bias(comparison, methods)}};
  mtl::report::comparison_report(options.out, comparison, report);
  if (adult) return 0;
  const Tensor bought = (shop.click * shop.buy).sum() / shop.click.sum();
  fmt::print("a click ends in a purchase: {:.3f}, of all impressions {:.3f}\n",
             bought.item<double>(), shop.buy.mean().item<double>());
} catch (const std::exception& error) {
  fmt::print(stderr, "recommender: {}\n", error.what());
  return 1;
}
