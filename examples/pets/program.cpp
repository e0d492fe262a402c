#include "program.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "files/pictures.hpp"

namespace pets {
namespace {

using mtl::io::Json;
using Texts = std::vector<std::string>;

/// Says how a run was started, and leaves nothing from which an older one could go on.
void begin_run(const Options& options, const Plan& plan) {
  for (const char* old :
       {"config.json", "metrics.json", "checkpoint", "compare", "trials.csv", "combiner.csv"})
    std::filesystem::remove_all(options.out / old);
  const Recipe& recipe = plan.recipe;
  mtl::io::write_json(options.out / "config.json", {{"data", options.data},
                                                    {"test", options.test},
                                                    {"traits", options.traits},
                                                    {"backbone", options.backbone},
                                                    {"lambda", text_of(plan.lambdas)},
                                                    {"seed", options.seed},
                                                    {"repeat", options.repeat},
                                                    {"threads", options.threads},
                                                    {"precision", options.precision},
                                                    {"recipe",
                                                     {{"epochs", recipe.epochs},
                                                      {"batch_size", recipe.batch_size},
                                                      {"learning_rate", recipe.learning_rate},
                                                      {"weight_decay", recipe.weight_decay},
                                                      {"label_smoothing", recipe.label_smoothing},
                                                      {"dropout", recipe.dropout},
                                                      {"widths", recipe.widths},
                                                      {"augment", recipe.augment},
                                                      {"folds", recipe.folds}}},
                                                    {"arguments", options.arguments}});
}

/// Adds a training to `runs`, and says how good it became.
void study(std::vector<Trained>& runs, const Sample& sample, const Plan& plan, const char* of) {
  runs.push_back(train(sample, plan));
  fmt::print("seed {}{}: validation {:.2f} %, test {:.2f} %\n", plan.seed, of,
             100 * each(runs, &Trained::judged).back(), 100 * each(runs, &Trained::found).back());
}

void run_all(const Options& options, Plan plan, Source& source) {
  Findings findings{.title = "Pet breeds: " + source.description, .breeds = source.breeds};
  if (options.tune > 0) {
    fmt::print("searching {} lambdas on the validation pictures\n", options.tune);
    auto [best, expected, trials] =
        tune(source.sample(plan.seed), plan, options.tune, options.out / "trials.csv");
    fmt::print("best lambdas: {}, which should reach {:.1f} % there\n", text_of(best),
               100 * expected);
    findings.trials = std::move(trials);
    plan.lambdas = best;
  }
  findings.lambdas = plan.lambdas;
  for (; std::ssize(findings.seeds) < options.repeat; ++plan.seed) {
    const bool first = findings.seeds.empty();
    Sample sample = source.sample(plan.seed);
    // Those by which the lambdas were chosen have nothing to say of how good they are.
    if (options.tune > 0 && sample.folds.size() > 2) sample.folds.erase(sample.folds.begin());
    const std::string name = fmt::format("seed-{}", plan.seed);
    Plan with = first ? plan : plan.below(name), without = plan.below(name + "-baseline");
    with.progress = first;
    if (first) with.log = options.out / "combiner.csv";
    without.lambdas = no_lambdas;
    findings.seeds.push_back(plan.seed);
    study(findings.runs, sample, with, "");
    if (options.compare_baseline) study(findings.baseline, sample, without, ", baseline");
    if (!first) continue;
    findings.test_name = sample.test_name;
    findings.test_picture = sample.test_picture;
    const Json about = {{"breeds", source.breeds},
                        {"widths", plan.recipe.widths},
                        {"input_shape", sample.learn.inputs()["picture"].sizes().slice(1).vec()},
                        {"backbone", options.backbone}};
    mtl::save(findings.runs[0].model, options.out / "best.safetensors",
              {{"pets", mtl::io::json_text(about, -1)}});
  }
  findings.warnings = source.warnings;
  fmt::print("{}\nWritten to {} (report.html, metrics.json, best.safetensors).\n",
             write(findings, options.out), options.out.string());
}

/// The model by each of the methods beside one model a task, on the pictures of the first seed.
void run_comparison(const Options& options, const Plan& plan, Source& source) {
  namespace evaluate = mtl::evaluate;
  Sample sample = source.sample(plan.seed);
  if (sample.folds.size() > 1) sample.folds.clear();  // the test pictures judge
  const evaluate::Comparison comparison = evaluate::compare(
      {.tasks = task_names,
       .methods = evaluate::combiner_methods(options.compare),
       .seeds = options.repeat,
       .first_seed = plan.seed,
       .directory = options.out / "compare",
       .processes = options.threads},
      [&](const evaluate::Trial& trial) {
        Plan one{.recipe = plan.recipe, .seed = trial.seed, .arithmetic = plan.arithmetic};
        one.checkpoint = {.directory = trial.directory / "checkpoint", .resume = true};
        one.tasks = trial.tasks;
        one.combiner = evaluate::combiner_of(trial);
        const Trained trained = train(sample, one);
        const mtl::TaskRegistry& judged = trained.model->tasks();
        return evaluate::scores_of({judged.begin(), judged.end()}, trained.found);
      });
  mtl::io::write_json(options.out / "comparison.json", comparison.json());
  fmt::print("{}Written to {} (comparison.json).\n", comparison.text(), options.out.string());
}

/// False where the batch could not be learnt by heart.
bool run_overfit(const Options& options) {
  const Lambdas lambdas = parse_lambdas(options.lambda);
  const auto source = open_source(options);
  const Plan plan{.recipe = source->recipe, .lambdas = lambdas, .seed = options.seed};
  const Overfit found = overfit_one_batch(source->sample(plan.seed).learn, plan);
  fmt::print("one batch: loss of the breed {:.4f} at first, {:.4f} at last: {}\n", found.first_loss,
             found.last_loss,
             found.reached_zero ? "learnt by heart" : "NOT learnt by heart, something is wrong");
  for (const std::string& suspicion : found.suspicions) fmt::print("  {}\n", suspicion);
  return found.reached_zero;
}

}  // namespace

void run(const Options& options) {
  if (!options.compare.empty()) mtl::evaluate::combiner_methods(options.compare);
  const Lambdas lambdas = parse_lambdas(options.lambda);
  const auto source = open_source(options);
  Plan plan{.recipe = source->recipe, .lambdas = lambdas, .seed = options.seed};
  if (options.precision == "bfloat16") plan.arithmetic = mtl::Arithmetic::bfloat16;
  plan.checkpoint = {.directory = options.out / "checkpoint", .resume = options.resume};
  mtl::io::make_folder(options.out);
  const mtl::io::FileLock lock(options.out / "pets.lock");
  if (!options.resume) begin_run(options, plan);
  if (!options.compare.empty())
    run_comparison(options, plan, *source);
  else if (std::filesystem::exists(options.out / "metrics.json"))
    fmt::print("The run in {} is finished.\n", options.out.string());
  else
    run_all(options, plan, *source);
  // Of all trainings but the first, from which nobody will go on now.
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(plan.checkpoint.directory, none))
    if (entry.is_directory()) std::filesystem::remove_all(entry.path());
}

void predict(const Options& options, const std::vector<std::filesystem::path>& files) {
  torch::set_num_threads(static_cast<int>(options.threads));
  const auto path = options.out / "best.safetensors";
  const std::string file = path.string();
  mtl::io::Metadata metadata;
  mtl::io::read_safetensors(path, &metadata);
  if (!metadata.contains("pets")) throw mtl::Error("{}: not a model of this program", file);
  const Json about = mtl::io::parse_json(metadata.at("pets"), file);
  const auto breeds = mtl::io::json_member<Texts>(about, "breeds", file);
  const auto widths = mtl::io::json_member<std::vector<int64_t>>(about, "widths", file);
  const auto shape = mtl::io::json_member<std::vector<int64_t>>(about, "input_shape", file);
  auto backbone = mtl::io::json_member<std::string>(about, "backbone", file);
  if (widths.empty() || (shape.size() != 1 && shape.size() != 3))
    throw mtl::Error("{}: no model has such \"widths\" and \"input_shape\"", file);
  auto model = make_model({.breeds = std::ssize(breeds), .widths = widths}, shape);
  mtl::load(model, path);
  std::vector<PetPicture> given;
  for (const auto& picture : files) given.push_back({picture});
  const auto [pets, images, flaws] = readable(given, options.threads);
  for (const std::string& flaw : flaws) fmt::print("{}\n", flaw);
  if (!options.backbone.empty()) backbone = options.backbone;
  const mtl::Tensor seen = shape.size() == 1
                               ? mtl::PictureFeatures(backbone).of(images, options.threads)
                               : small_pictures(images, shape.back(), options.threads);
  mtl::BatchLoader loader(mtl::TensorDataset({{"picture", seen}}), {.batch_size = 256});
  const mtl::NamedTensors found = mtl::predict(model, loader).predictions;
  const auto [probability, breed] = found["breed"].softmax(1).max(1);
  for (int64_t row = 0; row < images.size(); ++row)
    fmt::print("{}: {} ({:.0f} %); {}\n", images.file(row).string(),
               breeds[static_cast<size_t>(breed[row].item<int64_t>())],
               100 * probability[row].item<double>(), trait_text(found, row));
}

int run_program(int argc, const char* const* argv) {
  Options options;
  options.data = PETS_DATA;
  options.traits = PETS_TRAITS;
  bool overfit = false;
  std::vector<std::filesystem::path> files;
  CLI::App app{"Learns the breeds of pets, with ear, hair and figure as auxiliary tasks."};
  const auto add = [&](const char* name, auto& value, const char* help) {
    return app.add_option(name, value, help)->capture_default_str();
  };
  add("--data", options.data,
      "A folder of pictures (official Oxford-IIIT Pet layout, or manifest.csv), or \"drawn\"");
  add("--test", options.test, "A folder of the same layout whose pictures are only tested on");
  add("--backbone", options.backbone,
      "ImageNet weights made by convert_efficientnet.py; without, a small CNN learns from nothing");
  add("--features", options.features,
      "Folder where the next run finds what this one reads from the pictures; empty: beside "
      "--backbone");
  add("--traits", options.traits, "Trait scores by breed (CSV)");
  add("--picture-traits", options.picture_traits, "Trait scores of single pictures (CSV)");
  add("--lambda", options.lambda, "Weights of the auxiliary losses; all 0 is the baseline");
  app.add_flag("--compare-baseline", options.compare_baseline,
               "Train with all lambdas 0, too, and test the difference");
  add("--repeat", options.repeat, "So many seeds")->check(CLI::PositiveNumber);
  auto* tune_option =
      add("--tune", options.tune, "First search N lambdas in [0, 2] on the validation pictures")
          ->check(CLI::NonNegativeNumber);
  add("--compare", options.compare,
      "Only compare the joint model by these combiners with one model a task over --repeat seeds: "
      "single-task,sum,kendall,upgrad")
      ->excludes(tune_option);
  app.add_flag("--overfit-one-batch", overfit, "Only see whether one batch can be learnt by heart");
  app.add_option("--predict", files, "Breed and traits of these files, by the model in --out");
  add("--each", options.each, "Drawn training pictures a breed")->check(CLI::PositiveNumber);
  add("--side", options.side, "Pixels of the pictures that the small CNN reads")
      ->check(CLI::Range(32, 1024));
  add("--epochs", options.epochs, "Passes over the training pictures; 0: the recipe's");
  add("--seed", options.seed, "Of the split, the weights and the order");
  add("--precision", options.precision, "Of the networks' forward passes in training")
      ->check(CLI::IsMember({"float32", "bfloat16"}));
  add("--threads", options.threads, "Of torch and of reading pictures")->check(CLI::PositiveNumber);
  auto* resume = app.add_flag("--resume", options.resume,
                              "Go on with the run in --out that was cut short, as it was started");
  for (CLI::Option* option : app.get_options())
    if (option != resume && option != app.get_help_ptr()) resume->excludes(option);
  add("--out", options.out, "The run directory");
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // people wait for the lines, also behind a pipe
  try {
    options.arguments.assign(argv + 1, argv + argc);
    app.parse(argc, argv);
    if (options.resume) {
      const auto out = options.out;
      const auto config = out / "config.json";  // without it there is nothing to resume
      auto arguments =
          mtl::io::json_member<Texts>(mtl::io::read_json(config), "arguments", config.string());
      std::ranges::reverse(arguments);  // as CLI11 takes them
      app.parse(arguments);
      options.out = out;
    }
    if (overfit && files.empty()) return run_overfit(options) ? 0 : 1;
    files.empty() ? run(options) : predict(options, files);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    fmt::print(stderr, "pets: {}\n", error.what());
    return 1;
  }
}

}  // namespace pets
