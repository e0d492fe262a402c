#include "table/program.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "table/results.hpp"

namespace table {
namespace {

using Texts = std::vector<std::string>;
constexpr int stopped_by_user = 130;  // what a shell reports after Ctrl-C

struct Stopped {};  // by Ctrl-C

/// What the command line says of a training.
struct Settings {
  std::string data, weight, separator = "any";
  Texts tasks, ignore, recipes;
  Texts missing = {"NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"};
  mtl::TableLearning learning = {.stop_on_interrupt = true};
  double valid = 0.2;
  int64_t folds = 0, seeds = 5, threads = 1;
  bool compare = false;
  std::filesystem::path out = "runs/table";

  mtl::Table read() const {
    const char byte = separator == "any"   ? mtl::Table::any_separator
                      : separator == "tab" ? '\t'
                                           : separator.front();
    Texts signs = missing;
    signs.emplace_back();  // an empty cell always is
    return mtl::Table::read(data, {.separator = byte, .missing = signs});
  }
  Json json() const {
    return {{"data", data},
            {"tasks", tasks},
            {"ignore", ignore},
            {"weight", weight},
            {"separator", separator},
            {"missing", missing},
            {"combiner", learning.combiner},
            {"recipes", recipes},
            {"valid", valid},
            {"folds", folds},
            {"compare", compare},
            {"seeds", seeds},
            {"seed", learning.seed},
            {"epochs", learning.epochs},
            {"networks", learning.networks},
            {"threads", threads}};
  }
};

/// Joint against single-task networks, all judged on the same fifth of the rows.
mtl::evaluate::Comparison compare(const Settings& settings, const mtl::TableData& data,
                                  const mtl::TableRecipe& recipe) {
  mtl::io::Digest digest;
  digest.update(mtl::io::read_file(settings.data));
  Texts tasks;
  for (const auto& task : data.tasks) tasks.push_back(task.name);
  return mtl::evaluate::compare(
      {.tasks = tasks,
       .methods = {settings.learning.combiner},
       .seeds = settings.seeds,
       .first_seed = settings.learning.seed,
       .directory = settings.out / "compare",
       .identity = digest.text() + recipe.name + mtl::io::json_text(settings.json(), -1)},
      [&](const mtl::evaluate::Trial& trial) {
        mtl::TableData part = data;
        std::erase_if(part.tasks, [&](const mtl::TargetColumn& task) {
          return !mtl::evaluate::trains(trial, task.name);
        });
        mtl::TableLearning learning = settings.learning;
        learning.seed = mtl::mix_seed(trial.seed, 7);
        learning.combiner = mtl::evaluate::combiner_of(trial);
        const auto [train, valid, unseen] =
            mtl::random_split(data.rows(), {0.65, 0.15, 0.2}, settings.learning.seed);
        try {
          mtl::TableModel model = learn_table(part, train, valid, recipe, learning);
          Found found;
          found.ask(model, part, train, unseen);
          return mtl::evaluate::scores_of(judged(part.tasks), found.networks[0].predictions);
        } catch (const mtl::Interrupted&) {
          throw Stopped();  // no error of the comparison's
        }
      });
}

void train(Settings settings) {
  torch::set_num_threads(static_cast<int>(settings.threads));
  const mtl::TableData data =
      mtl::TableData::read(settings.read(), settings.tasks, settings.ignore, settings.weight);
  if (!settings.recipes.empty()) settings.learning.recipes.clear();
  for (const std::string& name : settings.recipes)
    settings.learning.recipes.push_back(mtl::table_recipe(name));
  settings.learning.check(data.tasks);
  Texts warnings = mtl::TableEncoder(data.inputs).left_out();
  for (std::string& line : warnings) line = "left out: " + line;
  for (const std::string& line : warnings) fmt::print(stderr, "{}\n", line);

  mtl::io::make_folder(settings.out);
  const mtl::io::FileLock lock(settings.out / "run.lock");
  const auto config = settings.out / "config.json";
  const Json before = std::filesystem::exists(config) ? mtl::io::read_json(config) : Json();
  if (before != settings.json()) std::filesystem::remove_all(settings.out / "compare");
  mtl::io::write_json(config, settings.json());

  mtl::TableLearning learning = settings.learning;
  Found found;
  Tensor to_learn = torch::arange(data.rows()), unseen;
  if (settings.folds == 0) {
    const double valid = settings.valid;
    const auto parts = mtl::random_split(data.rows(), {1 - valid, valid}, settings.learning.seed);
    to_learn = parts[0];
    unseen = parts[1];
  } else {
    for (const mtl::Fold& fold :
         mtl::k_folds(data.rows(), settings.folds, settings.learning.seed)) {
      const size_t number = found.networks.size();
      learning.seed = mtl::mix_seed(settings.learning.seed, number);
      mtl::LearntTable learnt = learn_table(data, fold.train, learning);
      found.ask(learnt.model, data, fold.train, fold.test);
      fmt::print(stderr, "fold {} of {}: {}, {} epochs", number + 1, settings.folds,
                 learnt.model.recipe.name, learnt.model.epochs);
      for (const auto& task : data.tasks)
        if (const double share = found.relative_rmse(task.name, 1); std::isfinite(share))
          fmt::print(stderr, ", {} {:.4f}", task.name, share);
      fmt::print(stderr, "\n");
    }
  }
  mtl::LearntTable learnt = learn_table(data, to_learn, settings.learning);
  if (unseen.defined()) found.ask(learnt.model, data, to_learn, unseen);
  learnt.model.save(settings.out / "best.safetensors");
  mtl::io::write_file_atomically(settings.out / "history.csv",
                                 learnt.tried.front().run.history.csv());
  std::optional<mtl::evaluate::Comparison> comparison;
  if (settings.compare) comparison = compare(settings, data, learnt.model.recipe);
  fmt::print("{}", write_results(settings.out, settings.json(), data, found, learnt, comparison,
                                 warnings));
}

/// A file of the run.
Json read_of_run(const Settings& settings, const char* name, const char* without) {
  const auto file = settings.out / name;
  if (std::filesystem::exists(file)) return mtl::io::read_json(file);
  throw mtl::Error("{} in {}: {} is not there", without, settings.out.string(), file.string());
}

void predict(Settings settings, const std::filesystem::path& to) {
  const Json json = read_of_run(settings, "config.json", "there is no run");
  mtl::TableModel model = mtl::TableModel::load(settings.out / "best.safetensors");
  settings.missing = mtl::io::json_member<Texts>(json, "missing", "config.json");
  if (settings.separator == "any")  // the run's own, so that its files are read as they were
    settings.separator = mtl::io::json_member<std::string>(json, "separator", "config.json");
  const auto inputs = model.encoder.read(settings.read());
  for (const std::string& line : model.encoder.unseen(inputs)) fmt::print(stderr, "{}\n", line);
  const std::string csv = predictions_csv(model.tasks, model.predict(inputs));
  if (to.empty())
    fmt::print("{}", csv);
  else
    mtl::io::write_file_atomically(to, csv);
}

void report(const Settings& settings) {
  read_of_run(settings, "config.json", "there is no run");
  const Json json = read_of_run(settings, "results.json", "the run did not end");
  fmt::print("{}", mtl::io::json_member<std::string>(json, "text", "results.json"));
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
  CLI::App* to_train = app.add_subcommand("train", "learn from a table");
  CLI::App* to_predict = app.add_subcommand("predict", "what a run's networks say of new rows");
  CLI::App* to_report = app.add_subcommand("report", "how good a run is, again");
  to_train->footer(
      "The first line of a CSV file names its columns. All columns but those of --task, --weight\n"
      "and --ignore are learnt from: numbers, dates (2024-02-29, 2024-02-29 08:30) or texts, as\n"
      "what their cells are. Cells may be missing in all of them. What is left in the folder:\n"
      "report.html (open it in a browser), best.safetensors (the networks), results.json,\n"
      "history.csv, config.json.");
  const auto option = [&](const char* name, auto& value, const char* help) {
    return to_train->add_option(name, value, help)->capture_default_str();
  };
  // As often as it is given, one value each time: what follows it may be the file.
  const auto repeated = [&](const char* name, Texts& values, const char* help) {
    return option(name, values, help)->allow_extra_args(false);
  };
  const auto number = [&](const char* name, auto& value, int64_t least, const char* help) {
    return option(name, value, help)->check(CLI::Range(least, int64_t{1000000}));
  };
  option("data", settings.data, "the table, a .csv or .arff file")
      ->required()
      ->check(CLI::ExistingFile);
  repeated("--task", settings.tasks,
           "a column to predict: COLUMN:regression (a number), COLUMN:binary (one of two values), "
           "COLUMN:classes (one of several); repeat it for more")
      ->required();
  option("--out", settings.out, "folder for what comes out");
  repeated("--ignore", settings.ignore, "a column not to learn from, such as an id; repeatable");
  option("--weight", settings.weight, "column with how much each row counts");
  repeated("--missing", settings.missing, "what stands for a missing cell; repeatable");
  for (CLI::App* reader : {to_train, to_predict})
    reader->add_option("--separator", settings.separator, "between cells: any, tab, or one sign")
        ->check([](const std::string& text) {
          return text == "any" || text == "tab" || text.size() == 1 ? "" : "any, tab or one sign";
        })
        ->capture_default_str();
  CLI::Option* valid =
      option("--valid", settings.valid, "share of the rows that judge and do not train")
          ->check(CLI::Range(0.01, 0.9));
  number("--folds", settings.folds, 2,
         "judge all rows instead, in so many parts, each by networks that were trained and chosen "
         "without it")
      ->excludes(valid);
  to_train->add_flag("--compare", settings.compare,
                     "also train one network a task, and say whether one for all helps");
  number("--seeds", settings.seeds, 2, "runs of each for --compare");
  option("--combiner", settings.learning.combiner,
         "how the losses become one update: sum, kendall, pcgrad, upgrad, ...");
  repeated("--recipe", settings.recipes,
           "networks to choose from: plain, careful, exact, steps; repeatable (default: all)");
  number("--networks", settings.learning.networks, 1, "how many are averaged");
  number("--epochs", settings.learning.epochs, 1, "the most times that all rows are learnt from");
  number("--seed", settings.learning.seed, 0, "the same seed gives the same result");
  number("--threads", settings.threads, 1, "for the arithmetic; more than one rarely pays");
  for (CLI::App* of_run : {to_predict, to_report})
    of_run->add_option("run", settings.out, "folder of the run")->required();
  to_predict->add_option("data", settings.data, "a table with the same columns to learn from")
      ->required()
      ->check(CLI::ExistingFile);
  to_predict->add_option("--out", predictions, "file to write (default: the terminal)");
  try {
    app.parse(argc, argv);
    if (*to_train) train(settings);
    if (*to_predict) predict(settings, predictions);
    if (*to_report) report(settings);
    return 0;
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return 0;
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "table: {}. --help says what there is\n", error.what());
    return 1;
  } catch (const Stopped&) {
    return stopped_by_user;
  } catch (const mtl::Interrupted&) {
    return stopped_by_user;
  } catch (const std::exception& error) {
    std::string text = error.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    const std::string in_code = "list it in Table::Options::missing";
    if (const size_t at = text.find(in_code); at != std::string::npos)
      text.replace(at, in_code.size(), "say so by --missing");
    fmt::print(stderr, "table: {}\n", text);
    return 1;
  }
}

}  // namespace table
