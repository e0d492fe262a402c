#include "findings.hpp"

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

namespace pets {
namespace {

namespace report = mtl::report;
using mtl::Tensor;
using mtl::io::Json;
using Runs = std::vector<Trained>;

/// Pairs that the article names.
const std::array<std::pair<const char*, const char*>, 3> named_pairs = {
    {{"american_pit_bull_terrier", "staffordshire_bull_terrier"},
     {"British_Shorthair", "Russian_Blue"},
     {"english_cocker_spaniel", "english_setter"}}};

/// NaN (a task without labels) stays NaN and becomes null.
double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// `breeds`: their number.
Json tasks_json(const Runs& runs, mtl::Predictions Trained::*answers, int64_t breeds) {
  Json tasks;
  tasks["breed"] = {{"accuracy", mean(each(runs, answers))},
                    {"top5", mean(each(runs, answers, top_5(breeds)))}};
  for (const TraitGroup& group : trait_groups)
    tasks[group.name]["bce"] = mean(each(runs, answers, mtl::SoftBce{}, group.name));
  return {{"tasks", tasks}};
}

Json spread_json(const std::vector<double>& values) {
  Json json = {{"values", values}, {"mean", mean(values)}, {"standard_deviation", nullptr}};
  if (values.size() > 1) json["standard_deviation"] = mtl::evaluate::standard_deviation(values);
  return json;
}

Json metrics_json(const Findings& findings) {
  const auto parts = [breeds = std::ssize(findings.breeds)](const Runs& runs) -> Json {
    return {{"validation", tasks_json(runs, &Trained::judged, breeds)},
            {"test", tasks_json(runs, &Trained::found, breeds)}};
  };
  Json json = parts(findings.runs);
  json["baseline"] = nullptr;
  json["comparison"] = nullptr;
  if (!findings.baseline.empty()) {
    const auto [difference, signed_rank_p, over] = compare(findings.runs, findings.baseline);
    json["baseline"] = parts(findings.baseline);
    json["comparison"] = {{"difference", difference.mean},
                          {"ci95", {difference.interval.low, difference.interval.high}},
                          {"p_value", difference.p_value},
                          {"wilcoxon_p_value", signed_rank_p},
                          {"over", over}};
  }
  for (size_t g = 0; g < findings.lambdas.size(); ++g)
    json["lambda"][trait_groups[g].name] = findings.lambdas[g];
  json["seeds"] = findings.seeds;
  const auto [accuracy, ci95] = estimate(findings.runs);
  json["estimate"] = {{"accuracy", accuracy}, {"ci95", {ci95.low, ci95.high}}};
  json["repeats"] = {{"validation_accuracy", spread_json(each(findings.runs, &Trained::judged))},
                     {"test_accuracy", spread_json(each(findings.runs, &Trained::found))}};
  return json;
}

std::string percent(double share) { return fmt::format("{:.2f}", 100 * share); }

std::string spread_text(const std::vector<double>& values) {
  std::string text = percent(mean(values));
  if (values.size() > 1) text += " +- " + percent(mtl::evaluate::standard_deviation(values));
  return text + " %";
}

std::string accuracies(const Runs& runs) {
  return fmt::format("validation {}, test {}", spread_text(each(runs, &Trained::judged)),
                     spread_text(each(runs, &Trained::found)));
}

/// Whether the auxiliary tasks helped.
std::string verdict(const Findings& findings) {
  const auto [difference, signed_rank_p, over] = compare(findings.runs, findings.baseline);
  const char* answer = "made no difference that can be told from luck";
  if (difference.p_value < 0.05) answer = difference.mean > 0 ? "helped" : "hurt";
  return fmt::format(
      "The auxiliary tasks {}: test accuracy {:+.2f} points, 95 % interval [{:+.2f}, {:+.2f}], "
      "paired t-test p = {:.2g}, Wilcoxon p = {:.2g} (over {} {}).",
      answer, 100 * difference.mean, 100 * difference.interval.low, 100 * difference.interval.high,
      difference.p_value, signed_rank_p, difference.degrees_of_freedom + 1, over);
}

std::string expected_text(const Findings& findings) {
  const auto [accuracy, ci95] = estimate(findings.runs);
  return fmt::format(
      "To be expected of new pictures, every breed as often: {} % (95 %: {} to {}), by models that "
      "had not seen the picture.",
      percent(accuracy), percent(ci95.low), percent(ci95.high));
}

std::string summary(const Findings& findings) {
  std::string text = fmt::format("{}, {} seed{}, {}\n{}\n", accuracies(findings.runs),
                                 findings.seeds.size(), findings.seeds.size() == 1 ? "" : "s",
                                 text_of(findings.lambdas), expected_text(findings));
  if (!findings.baseline.empty())
    text += fmt::format("baseline: {}\n{}\n", accuracies(findings.baseline), verdict(findings));
  return text;
}

/// Counts of true against predicted breeds, over the test pictures of all runs, int64 [C, C].
Tensor confusion(const Runs& runs) {
  Tensor counts = torch::zeros({}, torch::kLong);
  for (const auto& [model, run, log, judged, found] : runs)
    counts = counts + mtl::confusion_matrix(found.predictions["breed"], found.targets["breed"]);
  return counts;
}

/// How often one of two breeds was taken for the other; above the diagonal.
Tensor either_way(const Tensor& confusion) { return (confusion + confusion.t()).triu(1); }

report::TextTable pairs_table(const Findings& findings) {
  report::TextTable table{{"breed", "taken for, or for it", "with auxiliary tasks"}, {}};
  std::vector<Tensor> counts{either_way(confusion(findings.runs))};
  if (!findings.baseline.empty()) {
    table.header.insert(table.header.begin() + 2, "baseline");
    counts.insert(counts.begin(), either_way(confusion(findings.baseline)));
  }
  const std::vector<std::string>& breeds = findings.breeds;
  std::vector<ConfusedPair> pairs;
  for (const auto& [first, second] : named_pairs) {
    const auto a = std::ranges::find(breeds, first), b = std::ranges::find(breeds, second);
    if (a != breeds.end() && b != breeds.end())
      pairs.push_back({a - breeds.begin(), b - breeds.begin()});
  }
  for (const ConfusedPair& pair : most_confused(torch::stack(counts).sum(0), 12))
    if (std::ranges::count(pairs, pair) == 0) pairs.push_back(pair);
  for (const auto& [a, b] : pairs) {
    auto& row = table.rows.emplace_back();
    for (const int64_t breed : {a, b}) row.push_back(breeds[static_cast<size_t>(breed)]);
    for (const Tensor& count : counts) row.push_back(std::to_string(count[a][b].item<int64_t>()));
  }
  return table;
}

report::TextTable scores_table(const Findings& findings) {
  report::TextTable table{{"", "validation accuracy", "test accuracy", "test top 5"}, {}};
  const auto add = [&](const std::string& name, const Runs& runs) {
    table.rows.push_back(
        {name, spread_text(each(runs, &Trained::judged)), spread_text(each(runs, &Trained::found)),
         spread_text(each(runs, &Trained::found, top_5(std::ssize(findings.breeds))))});
  };
  add("auxiliary tasks (" + text_of(findings.lambdas) + ")", findings.runs);
  if (!findings.baseline.empty()) add("baseline (all lambdas 0)", findings.baseline);
  return table;
}

std::string predictions_csv(const Findings& findings) {
  const mtl::NamedTensors& predictions = findings.runs[0].found.predictions;
  const mtl::LabelEncoder names(findings.breeds);
  const auto breeds = names.decode(findings.runs[0].found.targets["breed"]),
             said = names.decode(predictions["breed"].argmax(1));
  const Tensor probability = predictions["breed"].softmax(1).amax(1);
  std::string csv = "picture,breed,predicted,probability,traits\n";
  for (size_t i = 0; i < said.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    csv += mtl::io::csv_row({findings.test_name(row), breeds[i], said[i],
                             fmt::format("{:.4f}", probability[row].item<double>()),
                             trait_text(predictions, row)});
  }
  return csv;
}

std::string confusion_csv(const Findings& findings) {
  const Tensor counts = confusion(findings.runs);
  std::string csv = fmt::format("breed,{}\n", fmt::join(findings.breeds, ","));
  const int64_t* cell = counts.data_ptr<int64_t>();
  for (const std::string& breed : findings.breeds) {
    csv += fmt::format("{},{}\n", breed, fmt::join(cell, cell + counts.size(1), ","));
    cell += counts.size(1);
  }
  return csv;
}

/// The page of the first seed's network on the test pictures, with the figures of all seeds.
report::ReportFiles write_page(const Findings& findings, const std::filesystem::path& folder) {
  const Trained& first = findings.runs[0];
  report::RunReport about{
      .title = findings.title,
      .verdict = {expected_text(findings)},
      .data =
          fmt::format("{} seeds, each with first weights and an order of its own; weights of the "
                      "auxiliary losses: {}. Pictures, mistakes and gradients are those of the "
                      "first seed.",
                      findings.seeds.size(), text_of(findings.lambdas)),
      .split = "test",
      .views = {{.task = "breed", .title = "Breed", .class_names = findings.breeds}},
      .x_label = "picture",
      .tables = {{"Means over the seeds.", scores_table(findings)}},
      .warnings = findings.warnings,
      .combiner = &first.log,
      .worst = 24,
      .sample_name = findings.test_name,
      .sample_picture = findings.test_picture};
  if (!findings.baseline.empty()) about.verdict.push_back(verdict(findings));
  if (!findings.trials.empty()) {
    report::TextTable table{{"lambdas", "validation accuracy"}, {}};
    for (const mtl::evaluate::TuningTrial& trial : findings.trials)
      table.rows.push_back({text_of(trial.values), percent(trial.score)});
    about.tables.emplace_back("Search of the lambdas, the weights of the auxiliary losses.", table);
  }
  about.tables.emplace_back("Most confused breeds, test pictures of all seeds, either way round.",
                            pairs_table(findings));
  return report::run_report(folder, first.run, first.model->tasks(), first.found, about);
}

}  // namespace

std::vector<ConfusedPair> most_confused(const Tensor& confusion, int64_t most) {
  const auto [counts, order] = either_way(confusion).flatten().sort(true, 0, true);
  std::vector<ConfusedPair> pairs;
  for (int64_t i = 0; i < std::min(most, counts.numel()) && counts[i].item<int64_t>() > 0; ++i)
    pairs.emplace_back(order[i].item<int64_t>() / confusion.size(1),
                       order[i].item<int64_t>() % confusion.size(1));
  return pairs;
}

std::string trait_text(const mtl::NamedTensors& predictions, int64_t row) {
  std::string text;
  for (const TraitGroup& group : trait_groups) {
    const Tensor scores = torch::sigmoid(predictions[group.name][row]);
    const auto best = scores.argmax().item<int64_t>();
    text += fmt::format("{}{} {} {:.2f}", text.empty() ? "" : ", ", group.name,
                        group.traits[static_cast<size_t>(best)], scores[best].item<double>());
  }
  return text;
}

std::string write(const Findings& findings, const std::filesystem::path& folder) {
  mtl::io::write_file_atomically(folder / "history.csv", findings.runs[0].run.history.csv());
  mtl::io::write_file_atomically(folder / "confusion.csv", confusion_csv(findings));
  mtl::io::write_file_atomically(folder / "predictions.csv", predictions_csv(findings));
  std::string text = summary(findings);
  if (!write_page(findings, folder).without_pictures.empty())
    text += "gnuplot is not installed: the report has no pictures.\n";
  // Last: who finds it knows that the run is finished.
  mtl::io::write_json(folder / "metrics.json", metrics_json(findings));
  return text;
}

}  // namespace pets
