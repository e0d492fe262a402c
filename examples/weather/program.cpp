#include "program.hpp"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "files/read_weather.hpp"
#include "results.hpp"

namespace weather {
namespace {

constexpr int stopped_by_user = 130;  // what a shell reports after Ctrl-C

/// What the command line says.
struct Settings : TrainSettings {
  std::string recipe = "mtl";
  // Both recipes are too small for more (mtl::threads_that_pay), and threads that wait for each
  // other at every operation take many times as long on a busy machine.
  int64_t threads = 1;
  std::vector<std::string> data = {WEATHER_DATA};
  std::filesystem::path out = "runs/weather";
  std::string compare;
  int64_t repeat = 5;
  bool predict = false, test = false;
};

/// Shows `visit` what a resumed run takes from config.json: key (as an option, --class-weights),
/// value, what it may be, help.
template <class Settings, class Visit>
void visit_settings(Settings& settings, Visit visit) {
  visit("recipe", settings.recipe, CLI::IsMember({"mtl", "article", "all"}),
        "mtl, article (the network this example began with), or all: both, compared");
  visit("combiner", settings.combiner, CLI::Validator(),
        "how the three losses become one update: sum, kendall, pcgrad, ...");
  visit("class_weights", settings.class_weights, CLI::IsMember({"none", "inverse-frequency"}),
        "none or inverse-frequency, for the weather's loss");
  visit("seed", settings.seed, CLI::NonNegativeNumber,
        "the same seed and threads give the same bits");
  visit("epochs", settings.epochs, CLI::PositiveNumber,
        "the most epochs (default: article 100, mtl 15)");
  visit("batch_size", settings.batch_size, CLI::PositiveNumber,
        "samples a step (default: article 32, mtl 64)");
  visit("precision", settings.precision, CLI::IsMember({"float32", "bfloat16"}),
        "float32 or bfloat16, for the forward passes of the training");
  visit("checkpoint_steps", settings.checkpoint_steps, CLI::NonNegativeNumber,
        "a checkpoint after so many steps as well, so that --resume goes on within an epoch; 0: "
        "after epochs only");
  visit("compare", settings.compare, CLI::Validator(),
        "only compare one network for all three, trained with each of these combiners, with one "
        "network a task: single-task,sum,kendall,upgrad");
  visit("repeat", settings.repeat, CLI::PositiveNumber, "seeds of each for --compare");
  visit("threads", settings.threads, CLI::Range(1, 1024),
        "threads for the arithmetic; of --compare so many runs at once, with one thread each");
  visit("data", settings.data, CLI::ExistingFile,
        "CSV files of daily values: the Japan Meteorological Agency's own download, or the nine "
        "columns year, month, day, temp, rh, atm, sunlight, precipitation, weather (default: "
        "Tokyo 2013-2020)");
}

Json to_json(const Settings& settings) {
  Json json;
  visit_settings(settings,
                 [&](const char* key, const auto& value, const auto&...) { json[key] = value; });
  return json;
}

/// What a resumed run was started with, held to what the options may be.
void read_config(Settings& settings) {
  const auto path = settings.out / "config.json";
  if (!std::filesystem::exists(path))
    throw mtl::Error("there is no run to resume in {}: {} is not there", settings.out.string(),
                     path.string());
  const Json json = mtl::io::read_json(path);
  visit_settings(
      settings, [&](const std::string& key, auto& value, const CLI::Validator& check, const auto&) {
        const std::string name = path.string() + ": " + key;
        const auto standard = value;
        try {
          if constexpr (std::is_same_v<decltype(value), int64_t&>)
            value = mtl::io::json_integer(json.at(key), name);
          else
            value = json.at(key).get<std::remove_cvref_t<decltype(value)>>();
        } catch (const nlohmann::json::exception& error) {
          throw mtl::Error("{}: {}. Start a new run", name, error.what());
        }
        if constexpr (!std::is_same_v<decltype(value), std::vector<std::string>&>)
          if (const std::string wrong = check(fmt::format("{}", value));
              value != standard && !wrong.empty())  // what no option was given for may be anything
            throw mtl::Error("{}: {}", name, wrong);
      });
}

WeatherFiles load(const Settings& settings) {
  const std::vector<std::filesystem::path> files(settings.data.begin(), settings.data.end());
  WeatherFiles read = read_weather(files);
  for (const std::string& warning : read.warnings) fmt::print(stderr, "warning: {}\n", warning);
  return read;
}

/// "17.3 °C (80 %: 15.2 to 19.4)"; without the interval where the network knows of none.
std::string value_text(const Network& network, Element task, double value, Date day) {
  std::string text =
      task == temp ? fmt::format("{:.1f} °C", value) : fmt::format("{:.0f} %", value);
  if (!network.doubt) return text;
  const Tensor days = torch::tensor({static_cast<int64_t>(day.time_since_epoch().count())});
  const double reach = network.doubt->half_width(task, days).item<double>();
  double low = value - reach, high = value + reach;
  if (task == rh) low = std::max(low, 0.0), high = std::min(high, 100.0);
  return text + fmt::format(" ({:.0f} %: {:.1f} to {:.1f})", 100 * Doubt::level, low, high);
}

/// What the network says of the days that it has not seen.
Forecasts later_days(Network& network, const Days& days) {
  const Forecasts all = forecasts(network, days);
  return all.part((all.days <= network.doubt->until).sum().item<int64_t>(), all.days.size(0));
}

int predict(const Settings& settings) {
  Network network = Network::load(settings.out / "best.safetensors");
  const Days days = load(settings).days;
  if (network.doubt && days.size() > window_days) {
    const Forecasts later = later_days(network, days);
    for (const Element task : {temp, rh}) network.doubt->follow(task, later);
  }
  const NamedTensors tomorrow = forecast(network, days);
  const Date day = days.dates.back() + std::chrono::days(1);
  fmt::print("{}: mean temperature {}, mean humidity {}, weather", to_text(day),
             value_text(network, temp, tomorrow["temp"].item<double>(), day),
             value_text(network, rh, tomorrow["rh"].item<double>(), day));
  const Tensor probabilities = tomorrow["weather"][0];
  const std::vector<std::string>& classes = network.encoding->classes().classes();
  const Tensor likeliest = std::get<1>(probabilities.sort(true, 0, /*descending=*/true));
  for (int64_t k = 0; k < likeliest.size(0); ++k) {
    const auto index = likeliest[k].item<int64_t>();
    fmt::print("{} {} {:.0f} %", k == 0 ? "" : ",", classes[static_cast<size_t>(index)],
               100 * probabilities[index].item<double>());
  }
  fmt::print("\n");
  return 0;
}

/// How good a network is on the days behind those that it comes from.
int test(const Settings& settings) {
  const auto file = settings.out / "best.safetensors";
  Network network = Network::load(file);
  if (!network.doubt)
    throw mtl::Error("{} does not say how far its network is to be trusted. Train it again",
                     file.string());
  const Forecasts later = later_days(network, load(settings).days);
  if (later.days.size(0) == 0)
    throw mtl::Error(
        "--test: no day of --data that 14 others come before is later than {}, the "
        "last one that the network in {} has seen. Give later days",
        to_text(Date(std::chrono::days(network.doubt->until))), file.string());
  const Json doubt = network.doubt->judge(later), scores = score(later.found);
  mtl::io::write_json(settings.out / "test.json", {{"tasks", scores}, {"doubt", doubt}});
  fmt::print("{} days that the network has not seen\n{}{}", later.days.size(0),
             text_of(comparison({{std::string(name_of(network.encoding->recipe())), scores}})),
             text_of(doubt_table(doubt)));
  return 0;
}

/// One network for all tasks, by each of the methods, beside one network a task.
int compare(const Settings& settings, const std::vector<std::string>& methods, const Parts& parts) {
  mtl::io::Digest digest;
  for (const std::string& file : settings.data) digest.update(mtl::io::read_file(file));
  const Recipe recipe = recipe_named(settings.recipe);
  const mtl::evaluate::Comparison comparison = mtl::evaluate::compare(
      {.tasks = {"temp", "rh", "weather"},
       .methods = methods,
       .seeds = settings.repeat,
       .first_seed = static_cast<uint64_t>(settings.seed),
       .directory = settings.out / "compare",
       .identity =
           fmt::format("{} {} {} {} {} {}", digest.text(), settings.recipe, settings.class_weights,
                       settings.epochs, settings.batch_size, settings.precision),
       .processes = settings.threads},
      [&](const mtl::evaluate::Trial& trial) {
        TrainSettings one = settings;
        one.combiner = mtl::evaluate::combiner_of(trial);
        one.tasks = trial.tasks;
        one.seed = static_cast<int64_t>(trial.seed);
        one.resume = true;
        one.progress = false;
        const Trained trained = train(recipe, one, trial.directory, parts);
        if (trained.run.stop_reason == mtl::StopReason::interrupted)
          throw mtl::Error("{}; --resume goes on", trained.run.stop_text);
        fmt::print(stderr, "{} ({}), seed {}: {:.0f} s\n", trial.method,
                   fmt::join(trial.tasks, ", "), trial.seed, trained.run.seconds);
        return mtl::evaluate::scores_of(judged_tasks(), trained.validation);
      });
  mtl::io::write_json(settings.out / "comparison.json", comparison.json());
  fmt::print("{}", comparison.text());
  return 0;
}

Json metrics_of(const Trained& trained) {
  return {{"tasks", score(trained.validation)},
          {"doubt", trained.doubt},
          {"epochs", trained.run.epochs()},
          {"best_epoch", trained.best_epoch},
          {"seconds_per_epoch", trained.seconds_per_epoch}};
}

bool is_chosen(const Settings& settings, Recipe recipe) {
  return settings.recipe == name_of(recipe) || settings.recipe == "all";
}

std::filesystem::path folder_of(const Settings& settings, Recipe recipe) {
  const bool beside = settings.recipe == "all" && recipe == Recipe::article;
  return beside ? settings.out / "article" : settings.out;
}

/// Of several processes all but the first train their share, and write nothing.
int train_along(const Settings& settings, const Parts& parts) {
  for (const Recipe recipe : {Recipe::article, Recipe::mtl}) {
    if (!is_chosen(settings, recipe)) continue;
    const auto folder = folder_of(settings, recipe);
    if (train(recipe, settings, folder, parts).run.stop_reason == mtl::StopReason::interrupted)
      return stopped_by_user;
  }
  return 0;
}

int train_and_report(Settings settings) {
  if (settings.resume) read_config(settings);
  mtl::Processes processes = mtl::Processes::from_environment();
  settings.processes = &processes;
  torch::set_num_threads(static_cast<int>(settings.threads));
  const WeatherFiles files = load(settings);
  const Parts parts = split(files.days);
  // A combiner that there is not is an error before anything is written.
  mtl::make_combiner(settings.combiner,
                     Network(Encoding(Recipe::mtl, parts.classes)).model->tasks());

  std::vector<std::string> methods_compared;
  if (!settings.compare.empty()) {
    methods_compared = mtl::evaluate::combiner_methods(settings.compare);
    recipe_named(settings.recipe);
    if (processes.several())
      throw mtl::Error(
          "--compare trains its networks side by side by itself; start it in one process, with "
          "--threads");
  }

  if (!processes.is_first()) return train_along(settings, parts);
  mtl::io::make_folder(settings.out);
  const mtl::io::FileLock lock(settings.out / "run.lock");
  // What a resumed run reads must be there before anything takes time.
  mtl::io::write_json(settings.out / "config.json", to_json(settings));
  if (!methods_compared.empty()) return compare(settings, methods_compared, parts);
  const std::vector<Method> without_network = baselines(parts);
  std::vector<Method> methods = without_network;

  std::vector<Trained> all;
  for (const Recipe recipe : {Recipe::article, Recipe::mtl}) {
    const std::string name(name_of(recipe));
    if (!is_chosen(settings, recipe)) continue;
    const auto folder = folder_of(settings, recipe);
    if (folder != settings.out) {
      Json config = to_json(settings);
      config["recipe"] = name;
      mtl::io::make_folder(folder);
      mtl::io::write_json(folder / "config.json", config);
    }
    fmt::print(stderr, "recipe {}\n", name);
    Trained trained = train(recipe, settings, folder, parts);
    if (trained.run.stop_reason == mtl::StopReason::interrupted) {
      fmt::print(stderr, "{}; --resume --out {} goes on from {}\n", trained.run.stop_text,
                 settings.out.string(),
                 settings.checkpoint_steps > 0 ? "there" : "the last whole epoch");
      return stopped_by_user;
    }
    mtl::io::write_file_atomically(folder / "history.csv", trained.run.history.csv());
    learn_doubt(trained, parts);
    trained.network.save(folder / "best.safetensors");
    fmt::print(stderr, "{}\n", trained.run.brief());
    methods.push_back({name, score(trained.validation)});
    all.push_back(std::move(trained));
  }

  const std::string title =
      "Tomorrow's weather" + (files.station.empty() ? "" : ", " + files.station);
  for (const Trained& trained : all) {
    const auto folder = folder_of(settings, trained.network.encoding->recipe());
    Json metrics = metrics_of(trained);
    if (folder == settings.out && all.size() > 1)
      metrics["recipes"]["article"] = metrics_of(all.front());
    for (const auto& [name, scores] : without_network) metrics["baselines"][name] = scores;
    mtl::io::write_json(folder / "metrics.json", metrics);
    write_report(folder, title, trained, parts.valid, methods, files.warnings);
  }
  fmt::print("{}", text_of(comparison(methods)));
  if (const Json& doubt = all.back().doubt; !doubt.is_null())
    fmt::print("80 % intervals on the last {} days, and the weather's probabilities\n{}",
               doubt["days"].get<int64_t>(), text_of(doubt_table(doubt)));
  fmt::print("report: {}\n", (settings.out / "report.html").string());
  return 0;
}

}  // namespace

int run_program(int argc, const char* const* argv) {
  Settings settings;
  CLI::App app(
      "Learns to tell tomorrow's mean temperature, mean humidity and daytime weather from the last "
      "14 days, all three with one network.");
  std::vector<CLI::Option*> resumed;
  visit_settings(settings, [&](std::string key, auto& value, const CLI::Validator& check,
                               const std::string& help) {
    std::replace(key.begin(), key.end(), '_', '-');
    resumed.push_back(app.add_option("--" + key, value, help)->check(check));
    if (help.find("(default: ") == std::string::npos) resumed.back()->capture_default_str();
  });
  app.add_option("--out", settings.out, "folder for weights, history, pictures and report.html")
      ->capture_default_str();
  auto* resume = app.add_flag("--resume", settings.resume,
                              "go on with the interrupted run in --out, as it was started");
  auto* predict_flag =
      app.add_flag("--predict", settings.predict,
                   "forecast the day after the last one of --data with the network in --out");
  predict_flag->excludes(resume);
  auto* test_flag = app.add_flag("--test", settings.test,
                                 "judge the network in --out on the days of --data behind those "
                                 "that it was made from");
  test_flag->excludes(resume)->excludes(predict_flag);
  for (CLI::Option* option : resumed) {
    resume->excludes(option);
    const std::string name = option->get_name();
    if (name == "--threads" || name == "--data") continue;
    predict_flag->excludes(option);
    test_flag->excludes(option);
  }
  try {
    app.parse(argc, argv);
    if (settings.predict) return predict(settings);
    return settings.test ? test(settings) : train_and_report(settings);
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
