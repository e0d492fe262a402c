#include "findings.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "mtl/io/atomic_file.hpp"
#include "mtl/io/file.hpp"
#include "mtl/report/report.hpp"
#include "traits.hpp"

namespace pets {
namespace {

namespace report = mtl::report;
namespace evaluate = mtl::evaluate;
using mtl::Tensor;
using mtl::io::Json;

/// Pairs that the article names: bull terriers, blue cats, spaniel and setter.
const std::array<std::pair<const char*, const char*>, 3> named_pairs = {
    {{"american_pit_bull_terrier", "staffordshire_bull_terrier"},
     {"British_Shorthair", "Russian_Blue"},
     {"english_cocker_spaniel", "english_setter"}}};

template <class Of>
std::vector<double> each(const std::vector<Trained>& runs, Of of) {
  std::vector<double> values;
  for (const Trained& run : runs) values.push_back(of(run));
  return values;
}

const auto test_accuracy = [](const Trained& run) { return run.test.accuracy; };
const auto validation_accuracy = [](const Trained& run) { return run.validation.accuracy; };

/// NaN (a task without labels) stays NaN and becomes null.
double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

Json tasks_json(const std::vector<Trained>& runs, Scores Trained::*part) {
  Json tasks;
  tasks["breed"] = {
      {"accuracy", mean(each(runs, [&](const Trained& r) { return (r.*part).accuracy; }))},
      {"top5", mean(each(runs, [&](const Trained& r) { return (r.*part).top5; }))}};
  for (size_t group = 0; group < trait_groups().size(); ++group)
    tasks[trait_groups()[group].name] = {
        {"bce", mean(each(runs, [&](const Trained& r) { return (r.*part).bce[group]; }))}};
  return {{"tasks", tasks}};
}

Json spread_json(const std::vector<double>& values) {
  return {{"values", values},
          {"mean", mean(values)},
          {"standard_deviation",
           values.size() > 1 ? Json(evaluate::standard_deviation(values)) : Json(nullptr)}};
}

std::string percent(double share) { return fmt::format("{:.2f}", 100 * share); }

std::string spread_text(const std::vector<double>& values) {
  return values.size() > 1 ? fmt::format("{} +- {} %", percent(mean(values)),
                                         percent(evaluate::standard_deviation(values)))
                           : percent(mean(values)) + " %";
}

std::string verdict(const Comparison& comparison) {
  const auto& difference = comparison.difference;
  const char* answer = "made no difference that can be told from luck";
  if (difference.p_value < 0.05) answer = difference.mean > 0 ? "helped" : "hurt";
  return fmt::format(
      "The auxiliary tasks {}: test accuracy {:+.2f} points, 95 % interval [{:+.2f}, {:+.2f}], "
      "paired t-test p = {:.2g}, Wilcoxon p = {:.2g} (over {} {}).",
      answer, 100 * difference.mean, 100 * difference.interval.low, 100 * difference.interval.high,
      difference.p_value, comparison.signed_rank_p, difference.degrees_of_freedom + 1,
      comparison.over);
}

int64_t confused(const Tensor& counts, int64_t a, int64_t b) {
  return counts[a][b].item<int64_t>() + counts[b][a].item<int64_t>();
}

report::TextTable pairs_table(const Findings& findings) {
  const auto classes = static_cast<int64_t>(findings.breeds.size());
  const Tensor after = confusion(findings.runs, findings.true_breeds, classes);
  const bool both = !findings.baseline.empty();
  const Tensor before =
      both ? confusion(findings.baseline, findings.true_breeds, classes) : torch::zeros_like(after);
  std::vector<std::pair<int64_t, int64_t>> pairs;
  for (const auto& [first, second] : named_pairs) {
    const auto a = std::find(findings.breeds.begin(), findings.breeds.end(), first);
    const auto b = std::find(findings.breeds.begin(), findings.breeds.end(), second);
    if (a != findings.breeds.end() && b != findings.breeds.end())
      pairs.emplace_back(a - findings.breeds.begin(), b - findings.breeds.begin());
  }
  for (const ConfusedPair& pair : most_confused(before + after, 12)) {
    const bool there = std::any_of(pairs.begin(), pairs.end(), [&](const auto& known) {
      return std::minmax(known.first, known.second) == std::minmax(pair.first, pair.second);
    });
    if (!there) pairs.emplace_back(pair.first, pair.second);
  }
  report::TextTable table{{"breed", "taken for, or for it", "with auxiliary tasks"}, {}};
  if (both) table.header.insert(table.header.begin() + 2, "baseline");
  for (const auto& [a, b] : pairs) {
    std::vector<std::string> row{findings.breeds[static_cast<size_t>(a)],
                                 findings.breeds[static_cast<size_t>(b)],
                                 std::to_string(confused(after, a, b))};
    if (both) row.insert(row.begin() + 2, std::to_string(confused(before, a, b)));
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// Test pictures of the first seed that are wrong, the surest mistake first.
std::vector<int64_t> worst_mistakes(const Findings& findings, int64_t most) {
  const Scores& test = findings.runs.front().test;
  const Tensor truth = findings.true_breeds.front();
  const Tensor log_probability = torch::log_softmax(test.predictions["breed"], 1);
  const Tensor regret =
      log_probability.amax(1) - log_probability.gather(1, truth.unsqueeze(1)).squeeze(1);
  const Tensor order = regret.argsort(0, true);
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < order.numel() && static_cast<int64_t>(rows.size()) < most; ++i) {
    const auto row = order[i].item<int64_t>();
    if (test.predicted[row].item<int64_t>() == truth[row].item<int64_t>()) continue;
    rows.push_back(row);
  }
  return rows;
}

report::Figure mistakes_sheet(const Findings& findings) {
  std::vector<report::Tile> tiles;
  const Scores& test = findings.runs.front().test;
  for (const int64_t row : worst_mistakes(findings, 24)) {
    const auto breed_name = [&](const Tensor& breeds) {
      return findings.breeds[static_cast<size_t>(breeds[row].item<int64_t>())];
    };
    std::string traits = trait_text(test.predictions, row);
    for (size_t at = 0; (at = traits.find(", ", at)) != std::string::npos;)
      traits.replace(at, 2, "\n");
    tiles.push_back({findings.test_picture(row),
                     fmt::format("{}\nsaid {}\n{}", breed_name(findings.true_breeds.front()),
                                 breed_name(test.predicted), traits)});
  }
  return report::contact_sheet("The worst mistakes", tiles);
}

report::Figure confusion_figure(const Findings& findings) {
  const auto classes = static_cast<int64_t>(findings.breeds.size());
  const Tensor counts =
      confusion(findings.runs, findings.true_breeds, classes).to(torch::kDouble).t().contiguous();
  const Eigen::Map<const Eigen::MatrixXd> matrix(counts.data_ptr<double>(), classes, classes);
  return report::confusion_chart({"Breeds, test pictures", findings.breeds, matrix});
}

report::Figure loss_figure(const mtl::TrainingRun& run) {
  std::vector<report::LossCurves> panels;
  const auto& tasks = run.history.tasks;
  for (size_t task = 0; task < tasks.size(); ++task) {
    report::LossCurves panel{tasks[task], {}, {}};
    for (const mtl::EpochRecord& epoch : run.history.epochs) {
      panel.train.push_back(epoch.train.losses[task]);
      if (!epoch.valid.losses.empty()) panel.validation.push_back(epoch.valid.losses[task]);
    }
    panels.push_back(std::move(panel));
  }
  return report::loss_curves("Losses, first seed", panels, run.best_epoch);
}

report::TextTable scores_table(const Findings& findings) {
  report::TextTable table{{"", "validation accuracy", "test accuracy", "test top 5"}, {}};
  const auto add = [&](const std::string& name, const std::vector<Trained>& runs) {
    if (runs.empty()) return;
    table.rows.push_back({name, spread_text(each(runs, validation_accuracy)),
                          spread_text(each(runs, test_accuracy)),
                          spread_text(each(runs, [](const Trained& r) { return r.test.top5; }))});
  };
  add("auxiliary tasks (" + text_of(findings.lambdas) + ")", findings.runs);
  add("baseline (all lambdas 0)", findings.baseline);
  return table;
}

std::string predictions_csv(const Findings& findings) {
  const Scores& test = findings.runs.front().test;
  std::string csv = "picture,breed,predicted,probability,traits\n";
  const Tensor probability = std::get<0>(torch::softmax(test.predictions["breed"], 1).max(1));
  for (int64_t row = 0; row < test.predicted.numel(); ++row)
    csv += fmt::format(
        "{},{},{},{:.4f},\"{}\"\n", findings.test_name(row),
        findings.breeds[static_cast<size_t>(findings.true_breeds.front()[row].item<int64_t>())],
        findings.breeds[static_cast<size_t>(test.predicted[row].item<int64_t>())],
        probability[row].item<double>(), trait_text(test.predictions, row));
  return csv;
}

std::string confusion_csv(const Findings& findings) {
  const auto classes = static_cast<int64_t>(findings.breeds.size());
  const Tensor counts = confusion(findings.runs, findings.true_breeds, classes);
  std::string csv = "breed";
  for (const std::string& breed : findings.breeds) csv += "," + breed;
  for (int64_t row = 0; row < classes; ++row) {
    csv += "\n" + findings.breeds[static_cast<size_t>(row)];
    for (int64_t column = 0; column < classes; ++column)
      csv += "," + std::to_string(counts[row][column].item<int64_t>());
  }
  return csv + "\n";
}

}  // namespace

Tensor confusion(const std::vector<Trained>& runs, const std::vector<Tensor>& true_breeds,
                 int64_t breeds) {
  Tensor counts = torch::zeros({breeds * breeds}, torch::kLong);
  for (size_t run = 0; run < runs.size(); ++run)
    counts +=
        torch::bincount(true_breeds[run] * breeds + runs[run].test.predicted, {}, breeds * breeds);
  return counts.view({breeds, breeds});
}

std::vector<ConfusedPair> most_confused(const Tensor& counts, int64_t most) {
  std::vector<ConfusedPair> pairs;
  for (int64_t a = 0; a < counts.size(0); ++a)
    for (int64_t b = a + 1; b < counts.size(0); ++b)
      if (const int64_t count = confused(counts, a, b); count > 0) pairs.push_back({a, b, count});
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const auto& x, const auto& y) { return x.count > y.count; });
  if (static_cast<int64_t>(pairs.size()) > most) pairs.resize(static_cast<size_t>(most));
  return pairs;
}

Json metrics_json(const Findings& findings) {
  Json json;
  json["validation"] = tasks_json(findings.runs, &Trained::validation);
  json["test"] = tasks_json(findings.runs, &Trained::test);
  json["baseline"] = nullptr;
  json["comparison"] = nullptr;
  if (!findings.baseline.empty())
    json["baseline"] = {{"validation", tasks_json(findings.baseline, &Trained::validation)},
                        {"test", tasks_json(findings.baseline, &Trained::test)}};
  if (findings.comparison) {
    const auto& difference = findings.comparison->difference;
    json["comparison"] = {{"difference", difference.mean},
                          {"ci95", {difference.interval.low, difference.interval.high}},
                          {"p_value", difference.p_value},
                          {"wilcoxon_p_value", findings.comparison->signed_rank_p},
                          {"over", findings.comparison->over}};
  }
  json["lambda"] = {{"ear", findings.lambdas.ear},
                    {"hair", findings.lambdas.hair},
                    {"figure", findings.lambdas.figure}};
  json["seeds"] = findings.seeds;
  json["repeats"] = {{"validation_accuracy", spread_json(each(findings.runs, validation_accuracy))},
                     {"test_accuracy", spread_json(each(findings.runs, test_accuracy))}};
  return json;
}

std::string summary(const Findings& findings) {
  std::string text =
      fmt::format("validation {}, test {}, {} seed{}, {}\n",
                  spread_text(each(findings.runs, validation_accuracy)),
                  spread_text(each(findings.runs, test_accuracy)), findings.seeds.size(),
                  findings.seeds.size() == 1 ? "" : "s", text_of(findings.lambdas));
  if (!findings.baseline.empty())
    text += fmt::format("baseline: validation {}, test {}\n",
                        spread_text(each(findings.baseline, validation_accuracy)),
                        spread_text(each(findings.baseline, test_accuracy)));
  if (findings.comparison) text += verdict(*findings.comparison) + "\n";
  return text;
}

std::string trait_text(const mtl::NamedTensors& predictions, int64_t row) {
  std::string text;
  for (const TraitGroup& group : trait_groups()) {
    if (!predictions.contains(group.name)) continue;
    const Tensor scores = torch::sigmoid(predictions[group.name][row]);
    const auto best = scores.argmax().item<int64_t>();
    text += fmt::format("{}{} {} {:.2f}", text.empty() ? "" : ", ", group.name,
                        group.traits[static_cast<size_t>(best)], scores[best].item<double>());
  }
  return text;
}

bool write(const Findings& findings, const std::filesystem::path& folder) {
  mtl::io::make_folder(folder);
  mtl::io::write_json(folder / "metrics.json", metrics_json(findings));
  mtl::io::write_file_atomically(folder / "history.csv", findings.runs.front().run.history.csv());
  mtl::io::write_file_atomically(folder / "confusion.csv", confusion_csv(findings));
  mtl::io::write_file_atomically(folder / "predictions.csv", predictions_csv(findings));

  report::HtmlPage page(findings.title);
  page.warnings(findings.warnings);
  page.heading("Breeds").table(scores_table(findings));
  if (findings.comparison) page.text(verdict(*findings.comparison));
  if (!findings.trials.empty()) {
    report::TextTable table{{"lambdas", "validation accuracy", "loss of breed"}, {}};
    for (const Trial& trial : findings.trials)
      table.rows.push_back(
          {text_of(trial.lambdas), percent(trial.accuracy), fmt::format("{:.4f}", trial.loss)});
    page.heading("Search of the lambdas").table(table);
  }
  page.heading("Most confused breeds")
      .table(pairs_table(findings), "Test pictures of all seeds, either way round.");

  struct Drawing {
    std::string file, heading;
    std::function<report::Figure()> figure;
  };
  const std::vector<Drawing> drawings = {
      {"losses.png", "Losses", [&] { return loss_figure(findings.runs.front().run); }},
      {"mistakes.png", "The worst mistakes of the first seed",
       [&] { return mistakes_sheet(findings); }},
      {"confusion.png", "Confusion", [&] { return confusion_figure(findings); }}};
  bool drawn = true;
  for (const Drawing& drawing : drawings) {
    if (drawing.file == "mistakes.png" && worst_mistakes(findings, 1).empty()) continue;
    try {
      const report::Figure figure = drawing.figure();
      report::save(figure, folder / drawing.file);
      page.heading(drawing.heading).figure(figure);
    } catch (const report::NoGnuplot&) {
      drawn = false;
      break;
    }
  }
  page.save(folder / "report.html");
  return drawn;
}

}  // namespace pets
