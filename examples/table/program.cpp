#include "table/program.hpp"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "table/results.hpp"

namespace table {
namespace {

constexpr int stopped_by_user = 130;  // what a shell reports after Ctrl-C

/// What the command line says of a training.
struct Settings : LearnOptions {
  std::string data, weight, separator = "any";
  std::vector<std::string> tasks, ignore;
  std::vector<std::string> missing = {"NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"};
  double valid = 0.2;
  int64_t folds = 0, seeds = 5, threads = 1;
  bool compare = false;
  std::filesystem::path out = "runs/table";

  mtl::Table read(const std::filesystem::path& file) const {
    const char byte = separator == "any"   ? mtl::Table::any_separator
                      : separator == "tab" ? '\t'
                                           : separator.front();
    std::vector<std::string> signs = missing;
    signs.emplace_back();  // an empty cell always is
    return mtl::Table::read(file, {.separator = byte, .missing = signs});
  }
  Json json() const {
    return {{"data", data},           {"tasks", tasks},
            {"ignore", ignore},       {"weight", weight},
            {"separator", separator}, {"missing", missing},
            {"combiner", combiner},   {"recipes", LearnOptions::recipes},
            {"valid", valid},         {"folds", folds},
            {"compare", compare},     {"seeds", seeds},
            {"seed", seed},           {"epochs", epochs},
            {"networks", members},    {"threads", threads}};
  }
};

Data load(const Settings& settings) {
  const mtl::Table table = settings.read(settings.data);
  Data data{.tasks = parse_tasks(settings.tasks)};
  data.targets = read_targets(table, data.tasks);
  std::vector<std::string> taken = settings.ignore;
  for (const ColumnTask& task : data.tasks) taken.push_back(task.column);
  if (!settings.weight.empty()) {
    taken.push_back(settings.weight);
    data.weights = table.numbers(settings.weight).to(torch::kFloat32);
    const Tensor wrong = (data.weights >= 0).logical_not().nonzero();  // NaN as well
    if (wrong.size(0) > 0)
      throw mtl::Error("--weight: {}: a weight is a number of at least 0",
                       table.where(wrong[0].item<int64_t>(), settings.weight));
  }
  table.text_columns(taken);  // Error: there is no such column
  std::vector<std::string> inputs;
  for (const std::string& column : table.columns())
    if (std::find(taken.begin(), taken.end(), column) == taken.end()) inputs.push_back(column);
  if (inputs.empty()) throw mtl::Error("{}: no column is left to learn from", settings.data);
  data.inputs = mtl::read_columns(table, inputs);
  return data;
}

/// Joint against single-task networks, all judged on the same fifth of the rows.
mtl::evaluate::Comparison compare(const Settings& settings, const Data& data,
                                  const Recipe& recipe) {
  mtl::io::Digest digest;
  digest.update(mtl::io::read_file(settings.data));
  std::vector<std::string> tasks;
  for (const ColumnTask& task : data.tasks) tasks.push_back(task.column);
  return mtl::evaluate::compare(
      {.tasks = tasks,
       .methods = {settings.combiner},
       .seeds = settings.seeds,
       .first_seed = settings.seed,
       .directory = settings.out / "compare",
       .identity = digest.text() + recipe.name + mtl::io::json_text(settings.json(), -1)},
      [&](const mtl::evaluate::Trial& trial) {
        Data part = data;
        std::erase_if(part.tasks, [&](const ColumnTask& task) {
          return !mtl::evaluate::trains(trial, task.column);
        });
        LearnOptions options = settings;
        options.seed = mtl::mix_seed(trial.seed, 7);
        options.combiner = mtl::evaluate::combiner_of(trial);
        const auto [train, valid, unseen] =
            mtl::random_split(data.rows(), {0.65, 0.15, 0.2}, settings.seed);
        Model model = learn_one(part, train, valid, recipe, options);
        Found found(part);
        found.add(part, train, unseen, model);
        return mtl::evaluate::scores_of(judged(part.tasks), found.predictions());
      });
}

int train(const Settings& settings) {
  torch::set_num_threads(static_cast<int>(settings.threads));
  const Data data = load(settings);
  check(settings, data.tasks);
  const Tensor all = torch::arange(data.rows());
  std::vector<std::string> warnings = mtl::TableEncoder(data.inputs).left_out();
  for (std::string& line : warnings) line = "left out: " + line;
  for (const std::string& line : warnings) fmt::print(stderr, "{}\n", line);

  mtl::io::make_folder(settings.out);
  const mtl::io::FileLock lock(settings.out / "run.lock");
  const auto config = settings.out / "config.json";
  const Json before = std::filesystem::exists(config) ? mtl::io::read_json(config) : Json();
  if (before != settings.json()) std::filesystem::remove_all(settings.out / "compare");
  mtl::io::write_json(config, settings.json());

  LearnOptions options = settings;
  Found found(data);
  Tensor to_learn = all;
  if (settings.folds == 0) {
    const auto parts =
        mtl::random_split(data.rows(), {1 - settings.valid, settings.valid}, settings.seed);
    to_learn = parts[0];
  } else {
    const auto parts =
        mtl::random_parts(data.rows(),
                          std::vector<double>(static_cast<size_t>(settings.folds),
                                              1.0 / static_cast<double>(settings.folds)),
                          settings.seed);
    for (size_t fold = 0; fold < parts.size(); ++fold) {
      const Tensor rest = rows_without(all, parts[fold]);
      options.seed = mtl::mix_seed(settings.seed, fold);
      Learnt learnt = learn(data, rest, options);
      found.add(data, rest, parts[fold], learnt.model);
      fmt::print(stderr, "fold {} of {}: {}, {} epochs{}\n", fold + 1, parts.size(),
                 learnt.model.recipe.name, learnt.model.epochs, found.last_fold());
    }
  }
  options.seed = settings.seed;
  Learnt learnt = learn(data, to_learn, options);
  if (settings.folds == 0) found.add(data, to_learn, rows_without(all, to_learn), learnt.model);
  learnt.model.save(settings.out / "best.safetensors");
  mtl::io::write_file_atomically(settings.out / "history.csv",
                                 learnt.tried.front().run.history.csv());
  std::optional<mtl::evaluate::Comparison> comparison;
  if (settings.compare) comparison = compare(settings, data, learnt.model.recipe);
  write_results(settings.out, settings.json(), data, found, learnt, comparison, warnings);
  return 0;
}

/// The run's own settings, so that its files are read as they were.
Settings settings_of(const std::filesystem::path& run) {
  const auto file = run / "config.json";
  if (!std::filesystem::exists(file))
    throw mtl::Error("there is no run in {}: {} is not there", run.string(), file.string());
  const Json json = mtl::io::read_json(file);
  Settings settings;
  using mtl::io::json_member;
  settings.separator = json_member<std::string>(json, "separator", file.string());
  settings.missing = json_member<std::vector<std::string>>(json, "missing", file.string());
  settings.out = run;
  return settings;
}

int predict(const Settings& given, const std::filesystem::path& to) {
  Settings settings = settings_of(given.out);
  Model model = Model::load(settings.out / "best.safetensors");
  if (given.separator != settings.separator && given.separator != "any")
    settings.separator = given.separator;
  const auto inputs = model.encoder.read(settings.read(given.data));
  for (const std::string& line : model.encoder.unseen(inputs)) fmt::print(stderr, "{}\n", line);
  const std::string csv = predictions_csv(model.tasks, model.predict(inputs));
  if (to.empty())
    fmt::print("{}", csv);
  else
    mtl::io::write_file_atomically(to, csv);
  return 0;
}

int report(const Settings& settings) {
  settings_of(settings.out);  // Error: there is no run
  const auto file = settings.out / "results.json";
  if (!std::filesystem::exists(file))
    throw mtl::Error("the run in {} did not end: {} is not there. Train it again",
                     settings.out.string(), file.string());
  fmt::print("{}",
             mtl::io::json_member<std::string>(mtl::io::read_json(file), "text", file.string()));
  return 0;
}

}  // namespace

int run_program(int argc, const char* const* argv) {
  Settings settings;
  std::filesystem::path predictions;
  CLI::App app(
      "Learns to predict columns of a table (CSV or ARFF) from its other columns, all with one "
      "network, and says how well it does on rows that it has not seen.\n"
      "  mtl_example_table train a.csv --task price:regression --task sold:binary --out runs/a\n"
      "  mtl_example_table predict runs/a new.csv --out predictions.csv\n"
      "  mtl_example_table report runs/a");
  app.require_subcommand(1);
  CLI::App* train_app = app.add_subcommand("train", "learn from a table");
  CLI::App* predict_app = app.add_subcommand("predict", "what a run's networks say of new rows");
  CLI::App* report_app = app.add_subcommand("report", "how good a run is, again");
  train_app->footer(
      "The first line of a CSV file names its columns. All columns but those of --task, --weight\n"
      "and --ignore are learnt from: numbers, dates (2024-02-29, 2024-02-29 08:30) or texts, as\n"
      "what their cells are. Cells may be missing in all of them. What is left in the folder:\n"
      "report.html (open it in a browser), best.safetensors (the networks), results.json,\n"
      "history.csv, config.json.");
  // As often as it is given, one value each time: what follows it may be the file.
  const auto repeated = [&](const char* name, std::vector<std::string>& values, const char* help) {
    return train_app->add_option(name, values, help)->allow_extra_args(false);
  };
  const auto number = [&](const char* name, auto& value, int64_t least, const char* help) {
    return train_app->add_option(name, value, help)
        ->check(CLI::Range(least, int64_t{1000000}))
        ->capture_default_str();
  };
  train_app->add_option("data", settings.data, "the table, a .csv or .arff file")
      ->required()
      ->check(CLI::ExistingFile);
  repeated("--task", settings.tasks,
           "a column to predict: COLUMN:regression (a number), COLUMN:binary (one of two values), "
           "COLUMN:classes (one of several); repeat it for more")
      ->required();
  train_app->add_option("--out", settings.out, "folder for what comes out")->capture_default_str();
  repeated("--ignore", settings.ignore, "a column not to learn from, such as an id; repeatable");
  train_app->add_option("--weight", settings.weight, "column with how much each row counts");
  repeated("--missing", settings.missing, "what stands for a missing cell; repeatable")
      ->capture_default_str();
  for (CLI::App* reader : {train_app, predict_app})
    reader
        ->add_option("--separator", settings.separator,
                     "between cells: any (found out), tab, or one sign")
        ->check([](const std::string& text) {
          return text == "any" || text == "tab" || text.size() == 1 ? "" : "any, tab or one sign";
        })
        ->capture_default_str();
  CLI::Option* valid =
      train_app
          ->add_option("--valid", settings.valid, "share of the rows that judge and do not train")
          ->check(CLI::Range(0.01, 0.9))
          ->capture_default_str();
  number("--folds", settings.folds, 2,
         "judge all rows instead, in so many parts, each by networks that were trained and chosen "
         "without it")
      ->excludes(valid);
  train_app->add_flag("--compare", settings.compare,
                      "also train one network a task, and say whether one for all helps");
  number("--seeds", settings.seeds, 2, "runs of each for --compare");
  train_app
      ->add_option("--combiner", settings.combiner,
                   "how the losses become one update: sum, kendall, pcgrad, upgrad, ...")
      ->capture_default_str();
  repeated("--recipe", settings.recipes,
           "networks to choose from: plain, careful, exact, steps; repeatable (default: all)");
  number("--networks", settings.members, 1, "how many are averaged");
  number("--epochs", settings.epochs, 1, "the most times that all rows are learnt from");
  number("--seed", settings.seed, 0, "the same seed gives the same result");
  number("--threads", settings.threads, 1, "for the arithmetic; more than one rarely pays");
  predict_app->add_option("run", settings.out, "folder of the run")->required();
  predict_app->add_option("data", settings.data, "a table with the same columns to learn from")
      ->required()
      ->check(CLI::ExistingFile);
  predict_app->add_option("--out", predictions, "file to write (default: the terminal)");
  report_app->add_option("run", settings.out, "folder of the run")->required();
  try {
    app.parse(argc, argv);
    if (*predict_app) return predict(settings, predictions);
    return *report_app ? report(settings) : train(settings);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return 0;
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "table: {}. --help says what there is\n", error.what());
    return 1;
  } catch (const Interrupted&) {
    fmt::print(stderr, "table: stopped\n");
    return stopped_by_user;
  } catch (const std::exception& error) {
    std::string text = error.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    fmt::print(stderr, "table: {}\n", text);
    return 1;
  }
}

}  // namespace table
