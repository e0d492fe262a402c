#include "program.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include "model_file.hpp"
#include "mtl/combine/combine.hpp"
#include "mtl/core/error.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/file.hpp"
#include "mtl/task/losses/cross_entropy.hpp"
#include "mtl/task/losses/mean_squared_error.hpp"
#include "results.hpp"
#include "training.hpp"

namespace weather {
namespace {

constexpr int stopped_by_user = 130;  // what a shell reports after Ctrl-C

struct Settings {
  std::string recipe = "mtl";
  std::string combiner = "sum";
  std::string class_weights = "none";
  int64_t seed = 0;
  int64_t epochs = 0;  // 0: the recipe's own
  // Both recipes are too small for more (mtl::threads_that_pay), and threads that wait for each
  // other at every operation take many times as long on a busy machine.
  int threads = 1;
  std::vector<std::string> data = {WEATHER_DATA};
  std::filesystem::path out = "runs/weather";
  bool resume = false, predict = false;
};

mtl::io::Json to_json(const Settings& settings) {
  return {{"recipe", settings.recipe},
          {"combiner", settings.combiner},
          {"class_weights", settings.class_weights},
          {"seed", settings.seed},
          {"epochs", settings.epochs},
          {"threads", settings.threads},
          {"data", settings.data}};
}

/// What a resumed run was started with.
void read_config(Settings& settings) {
  const auto path = settings.out / "config.json";
  if (!std::filesystem::exists(path)) {
    throw mtl::Error("there is no run to resume in {}: {} is not there.", settings.out.string(),
                     path.string());
  }
  const mtl::io::Json json = mtl::io::read_json(path);
  try {
    settings.recipe = json.at("recipe").get<std::string>();
    settings.combiner = json.at("combiner").get<std::string>();
    settings.class_weights = json.at("class_weights").get<std::string>();
    const auto integer = [&](const char* key) {
      return mtl::io::json_integer(json.at(key), path.string() + ": " + key);
    };
    settings.seed = integer("seed");
    settings.epochs = integer("epochs");
    settings.threads = static_cast<int>(std::clamp<int64_t>(integer("threads"), 1, 1024));
    settings.data = json.at("data").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception& error) {
    throw mtl::Error("{}: {}. Start a new run.", path.string(), error.what());
  }
}

void check_combiner(const std::string& text) {
  mtl::TaskRegistry tasks;
  for (const std::string name : {"temp", "rh"})
    tasks.add({.name = name, .loss = mtl::MeanSquaredError{}});
  tasks.add({.name = "weather", .loss = mtl::CrossEntropy{}});
  mtl::make_combiner(text, tasks);
}

struct Loaded {
  std::string station;
  Days days;
  std::vector<std::string> warnings;
};

Loaded load(const Settings& settings) {
  const std::vector<std::filesystem::path> files(settings.data.begin(), settings.data.end());
  const WeatherDays read = read_weather(files);
  std::vector<std::string> warnings = read.warnings;
  Days days = fill(read, warnings);
  for (const std::string& warning : warnings) fmt::print(stderr, "warning: {}\n", warning);
  return {read.station, std::move(days), std::move(warnings)};
}

int predict(const Settings& settings) {
  TrainedModel trained = load_model(settings.out / "best.safetensors");
  const Forecast tomorrow = forecast(trained, load(settings).days);
  fmt::print("{}: mean temperature {:.1f} °C, mean humidity {:.0f} %, weather",
             to_text(tomorrow.date), tomorrow.temp, tomorrow.rh);
  constexpr size_t shown = 3;
  for (size_t k = 0; k < std::min(shown, tomorrow.weather.size()); ++k) {
    fmt::print("{} {} {:.0f} %", k == 0 ? "" : ",", tomorrow.weather[k].first,
               100 * tomorrow.weather[k].second);
  }
  fmt::print("\n");
  return 0;
}

/// Trains one recipe and leaves its weights and history in `directory`.
Trained train_in(const std::filesystem::path& directory, Recipe recipe, const Settings& settings,
                 const Parts& parts) {
  mtl::io::make_folder(directory);
  mtl::io::write_json(directory / "config.json", [&] {
    mtl::io::Json config = to_json(settings);
    // The main run's folder must say what it takes to resume all of it.
    if (directory != settings.out) config["recipe"] = name_of(recipe);
    return config;
  }());
  fmt::print(stderr, "recipe {}\n", name_of(recipe));
  Trained trained = train({.recipe = recipe,
                           .combiner = settings.combiner,
                           .inverse_frequency = settings.class_weights == "inverse-frequency",
                           .seed = static_cast<uint64_t>(settings.seed),
                           .epochs = settings.epochs,
                           .directory = directory,
                           .resume = settings.resume},
                          parts);
  if (trained.interrupted) {
    fmt::print(stderr, "{}; --resume --out {} goes on from the last whole epoch\n",
               trained.run.stop_text, settings.out.string());
    return trained;
  }
  mtl::io::write_file_atomically(directory / "history.csv", trained.run.history.csv());
  save_model(directory / "best.safetensors", trained.encoding, trained.model);
  fmt::print(stderr, "{}\n", trained.run.brief());
  return trained;
}

int train_and_report(Settings settings) {
  if (settings.resume) read_config(settings);
  check_combiner(settings.combiner);
  torch::set_num_threads(settings.threads);
  const Loaded loaded = load(settings);
  const Parts parts = split(loaded.days);

  const bool all = settings.recipe == "all";
  std::vector<Compared> rows = baselines(parts);
  const std::vector<Compared> without_network = rows;
  std::optional<Trained> article;
  const std::filesystem::path article_directory = settings.out / "article";
  if (all) {
    // Its config is what a resumed run reads, so it must be there before anything takes time.
    mtl::io::make_folder(settings.out);
    mtl::io::write_json(settings.out / "config.json", to_json(settings));
    article = train_in(article_directory, Recipe::article, settings, parts);
    if (article->interrupted) return stopped_by_user;
    rows.push_back({"article", score(article->outcome)});
  }
  const Recipe recipe = all ? Recipe::mtl : recipe_named(settings.recipe);
  const Trained trained = train_in(settings.out, recipe, settings, parts);
  if (trained.interrupted) return stopped_by_user;
  rows.push_back({std::string(name_of(recipe)), score(trained.outcome)});

  const std::string place =
      loaded.station.empty() ? "Tomorrow's weather" : "Tomorrow's weather, " + loaded.station;
  if (article) {
    mtl::io::write_json(article_directory / "metrics.json",
                        metrics_json(*article, nullptr, without_network));
    write_report(article_directory, place, *article, rows, loaded.warnings);
  }
  mtl::io::write_json(settings.out / "metrics.json",
                      metrics_json(trained, article ? &*article : nullptr, without_network));
  write_report(settings.out, place, trained, rows, loaded.warnings);
  fmt::print("{}report: {}\n", comparison_text(rows), (settings.out / "report.html").string());
  return 0;
}

}  // namespace

int run_program(int argc, const char* const* argv) {
  Settings settings;
  CLI::App app(
      "Learns to tell tomorrow's mean temperature, mean humidity and daytime weather from the last "
      "14 days, all three with one network.");
  std::string data_help =
      "CSV files of daily values: the Japan Meteorological Agency's own download, or the nine "
      "columns year, month, day, temp, rh, atm, sunlight, precipitation, weather (default: "
      "Tokyo 2013-2020)";
  auto* recipe =
      app.add_option("--recipe", settings.recipe,
                     "mtl, article (the network this example began with), or all: both, compared")
          ->check(CLI::IsMember({"mtl", "article", "all"}))
          ->capture_default_str();
  auto* combiner =
      app.add_option("--combiner", settings.combiner,
                     "how the three losses become one update: sum, kendall, pcgrad, ...")
          ->capture_default_str();
  auto* weights = app.add_option("--class-weights", settings.class_weights,
                                 "none or inverse-frequency, for the weather's loss")
                      ->check(CLI::IsMember({"none", "inverse-frequency"}))
                      ->capture_default_str();
  auto* seed =
      app.add_option("--seed", settings.seed, "the same seed and threads give the same bits")
          ->check(CLI::NonNegativeNumber)
          ->capture_default_str();
  auto* epochs =
      app.add_option("--epochs", settings.epochs, "the most epochs (default: article 100, mtl 15)")
          ->check(CLI::PositiveNumber);
  auto* threads = app.add_option("--threads", settings.threads, "threads for the arithmetic")
                      ->check(CLI::Range(1, 1024))
                      ->capture_default_str();
  auto* data = app.add_option("--data", settings.data, data_help)->check(CLI::ExistingFile);
  app.add_option("--out", settings.out, "folder for weights, history, pictures and report.html")
      ->capture_default_str();
  auto* resume = app.add_flag("--resume", settings.resume,
                              "go on with the interrupted run in --out, as it was started");
  auto* predict_flag =
      app.add_flag("--predict", settings.predict,
                   "forecast the day after the last one of --data with the network in --out");
  for (auto* option : {recipe, combiner, weights, seed, epochs, threads, data})
    resume->excludes(option);
  for (auto* option : {recipe, combiner, weights, seed, epochs, resume})
    predict_flag->excludes(option);
  try {
    app.parse(argc, argv);
    return settings.predict ? predict(settings) : train_and_report(settings);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return 0;
  } catch (const std::exception& error) {
    std::string text = error.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    fmt::print(stderr, "weather: {}\n", text);
    return 1;
  }
}

}  // namespace weather
