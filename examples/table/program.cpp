#include "table/program.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <mtl/mtl.hpp>
#include <nlohmann/json.hpp>

namespace table {
namespace {

using mtl::io::Json;
using Texts = std::vector<std::string>;

/// What the command line says.
struct Settings {
  std::filesystem::path data, out = "runs/table", predictions = {};
  std::string weight, separator = "any";
  Texts tasks, ignore, recipes;
  Texts missing = {"NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"};
  mtl::TableLearning learning = {.stop_on_interrupt = true};
  double valid = 0.2;
  int64_t folds = 0, seeds = 5, threads = 1;
  bool compare = false, probabilities = false;

  /// Each option of a training: `option(name, value, help)`, and the least of a number.
  template <class Option>
  void each(const Option& option) {
    option("data", data, "the table, a .csv or .arff file");
    option("--task", tasks,
           "a column to predict: COLUMN:regression (a number), COLUMN:binary (one of two values), "
           "COLUMN:classes (one of several); repeat it for more");
    option("--ignore", ignore, "a column not to learn from, such as an id; repeatable");
    option("--weight", weight, "column with how much each row counts");
    option("--missing", missing, "what stands for a missing cell; repeatable");
    option("--separator", separator, "between cells: any, tab, or one sign");
    option("--valid", valid, "share of the rows that judge and do not train");
    option("--folds", folds,
           "judge all rows instead, in so many parts, each by networks that were trained and "
           "chosen without it",
           2);
    option("--compare", compare,
           "also train one network a task, and say whether one for all helps");
    option("--seeds", seeds, "runs of each for --compare", 2);
    option("--combiner", learning.combiner,
           "how the losses become one update: sum, kendall, pcgrad, upgrad, ...");
    option("--recipe", recipes,
           "networks to choose from: plain, careful, exact, steps (default: these), fine");
    option("--networks", learning.networks, "how many are averaged", 1);
    option("--epochs", learning.epochs, "the most times that all rows are learnt from", 1);
    option("--seed", learning.seed, "the same seed gives the same result");
    option("--threads", threads, "for the arithmetic; more than one rarely pays", 1);
  }
  Json json() {
    Json options;
    each([&](std::string_view name, auto& value, const char*, int64_t = 0) {
      options[std::string(name.substr(name.rfind('-') + 1))] = value;
    });
    return options;
  }
  mtl::Table read() const {
    const char byte = separator == "any"   ? mtl::Table::any_separator
                      : separator == "tab" ? '\t'
                                           : separator.front();
    Texts signs = missing;
    signs.emplace_back();  // an empty cell always is
    return mtl::Table::read(data, {.separator = byte, .missing = signs});
  }
};

/// Leaves the bundle, results.json, history.csv, pictures and report.html; says how good it is.
void write_results(const Settings& settings, const mtl::TableData& data,
                   const mtl::LearntTable& learnt, const mtl::evaluate::JudgedTable& judged,
                   mtl::report::TableReport report) {
  const mtl::TableModel& model = learnt.model;
  std::string text = mtl::report::table_text(learnt, judged, report);
  text += fmt::format("report: {}\n", (settings.out / "report.html").string());
  Json results = judged.json();
  results.update({{"recipe", model.recipe.name}, {"epochs", model.epochs}, {"text", text}});
  if (report.comparison != nullptr) results["comparison"] = report.comparison->json();
  mtl::BundleNotes notes = table_notes(model.encoder, model.tasks);
  notes.data = report.name;
  for (const auto& measure : judged.measures())
    if (std::isfinite(measure.networks))
      notes.metrics.push_back({measure.task + ", " + measure.name, measure.networks});
  mtl::save_bundle(model.networks, settings.out / "bundle", notes);
  mtl::io::write_file_atomically(settings.out / "history.csv",
                                 learnt.tried.front().run.history.csv());
  mtl::io::write_json(settings.out / "results.json", results);
  mtl::report::table_report(settings.out, data, learnt, judged, report);
  fmt::print("{}", text);
}

void train(Settings settings) {
  torch::set_num_threads(static_cast<int>(settings.threads));
  mtl::TableLearning& learning = settings.learning;
  const mtl::TableData data =
      mtl::TableData::read(settings.read(), settings.tasks, settings.ignore, settings.weight);
  learning.recipes = mtl::table_recipes(settings.recipes);
  learning.check(data.tasks);
  const Json json = settings.json();
  mtl::report::TableReport report{.name = settings.data.filename().string(),
                                  .settings = mtl::report::settings_of(json)};
  mtl::io::make_folder(settings.out);
  const mtl::io::FileLock lock(settings.out / "run.lock");
  mtl::io::write_json(settings.out / "config.json", json);
  mtl::evaluate::JudgedTable judged;
  torch::Tensor to_learn = torch::arange(data.rows()), unseen;
  if (settings.folds > 0)
    judged = mtl::evaluate::cross_validate(
        data, settings.folds, learning, [&](const auto& learnt, const auto& so_far) {
          fmt::print(stderr, "fold {} of {}: {}, {} epochs\n", so_far.parts(), settings.folds,
                     learnt.model.recipe.name, learnt.model.epochs);
        });
  else
    std::tie(to_learn, unseen) = std::tuple_cat(
        mtl::random_split(data.rows(), {1 - settings.valid, settings.valid}, learning.seed));
  mtl::LearntTable learnt = learn_table(data, to_learn, learning);
  if (unseen.defined()) judged.add(learnt.model, data, to_learn, unseen);
  mtl::evaluate::Comparison comparison;
  if (settings.compare) {
    comparison = mtl::evaluate::compare_table(
        data, learnt.model.recipe, learning,
        {.seeds = settings.seeds, .directory = settings.out / "compare"});
    report.comparison = &comparison;
  }
  write_results(settings, data, learnt, judged, report);
}

/// A file of the run.
Json read_of_run(const Settings& settings, const char* name) {
  const auto file = settings.out / name;
  if (std::filesystem::exists(file)) return mtl::io::read_json(file);
  throw mtl::Error("there is no run in {} that has ended: {} is not there", settings.out.string(),
                   file.string());
}

void predict(Settings settings) {
  const Json json = read_of_run(settings, "config.json");
  settings.missing = mtl::io::json_member<Texts>(json, "missing", "config.json");
  if (settings.separator == "any")  // the run's own, so that its files are read as they were
    settings.separator = mtl::io::json_member<std::string>(json, "separator", "config.json");
  mtl::Predictor predictor(settings.out / "bundle");
  const mtl::Table table = settings.read();
  const mtl::TableEncoder& encoder = predictor.notes().inputs.at(0).table.value();
  for (const std::string& line : encoder.unseen(encoder.read(table)))
    fmt::print(stderr, "{}\n", line);
  const mtl::Answers answers = predictor.predict(table);
  const mtl::AnswerText text(mtl::AnswerText::Format::csv, settings.probabilities);
  const std::string csv = text.header(answers) + text.lines(answers);
  if (settings.predictions.empty())
    fmt::print("{}", csv);
  else
    mtl::io::write_file_atomically(settings.predictions, csv);
}

void report(const Settings& settings) {
  const Json json = read_of_run(settings, "results.json");
  fmt::print("{}", mtl::io::json_member<std::string>(json, "text", "results.json"));
}

void add_options(CLI::App& app, Settings& settings) {
  settings.each([&](const char* name, auto& value, const char* help, int64_t least = 0) {
    using Value = std::remove_reference_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, bool>) {
      app.add_flag(name, value, help);
    } else {
      CLI::Option* option = app.add_option(name, value, help)->capture_default_str();
      // One value each time: what follows it may be the file.
      if constexpr (std::is_same_v<Value, Texts>) option->allow_extra_args(false);
      if constexpr (std::is_integral_v<Value>) option->check(CLI::Range(least, int64_t{1000000}));
    }
  });
  app.add_option("--out", settings.out, "folder for what comes out")->capture_default_str();
  app.get_option("--task")->required();
  app.get_option("--valid")->check(CLI::Range(0.01, 0.9))->excludes(app.get_option("--folds"));
}

}  // namespace

int run_program(int argc, const char* const* argv) {
  Settings settings;
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
  add_options(*to_train, settings);
  to_train->footer(
      "The first line of a CSV file names its columns. All columns but those of --task, --weight\n"
      "and --ignore are learnt from: numbers, dates (2024-02-29, 2024-02-29 08:30) or texts, as\n"
      "what their cells are. Cells may be missing in all of them. What is left in the folder:\n"
      "report.html (open it in a browser), bundle, results.json, history.csv, config.json.");
  for (CLI::App* of_run : {to_predict, to_report})
    of_run->add_option("run", settings.out, "folder of the run")->required();
  to_predict->add_option("data", settings.data, "a table with the same columns to learn from");
  to_predict->add_option("--separator", settings.separator, "as that of train: the run's own");
  to_predict->add_option("--out", settings.predictions, "file to write (default: the terminal)");
  to_predict->add_flag("--probabilities", settings.probabilities, "that of every class, too");
  for (CLI::App* reader : {to_train, to_predict}) {
    reader->get_option("data")->required()->check(CLI::ExistingFile);
    reader->get_option("--separator")->check([](const std::string& text) {
      return text == "any" || text == "tab" || text.size() == 1 ? "" : "any, tab or one sign";
    });
  }
  try {
    app.parse(argc, argv);
    if (*to_train) train(settings);
    if (*to_predict) predict(settings);
    if (*to_report) report(settings);
    return 0;
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "table: {}. --help says what there is\n", error.what());
    return 1;
  } catch (const mtl::Interrupted&) {
    return 130;  // what a shell reports after Ctrl-C
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
