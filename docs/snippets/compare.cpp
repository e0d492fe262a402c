// The code of docs/compare.md and docs/tune.md.
#include <mtl/mtl.hpp>

#include <cmath>
#include <cstdio>
#include <filesystem>

namespace evaluate = mtl::evaluate;

int main() {
  torch::manual_seed(0);
  const auto x = torch::randn({240, 6});
  const auto y = (x.select(1, 0) + x.select(1, 1)).tanh();
  mtl::TensorDataset data({{"x", x}}, {{"temperature", y + 0.3 * torch::randn({240})},
                                       {"humidity", 0.3 * torch::randn({240}) - y}});
  const auto rows = torch::arange(240);
  const auto training_rows = rows.slice(0, 0, 120), test_rows = rows.slice(0, 120);
  const auto folder = std::filesystem::temp_directory_path() / "mtl-docs-compare";

  const auto recipe = [&](const evaluate::Trial& trial) {
    torch::manual_seed(trial.seed);
    mtl::TaskRegistry tasks;
    for (const auto& name : trial.tasks)
      tasks.add({.name = name,
                 .head = mtl::nn::LinearHead(16, 1),
                 .loss = mtl::MeanSquaredError{},
                 .metrics = {mtl::Mae{}}});
    mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = 6, .hidden_sizes = {16}}), tasks);
    torch::optim::Adam adam(model->parameters(), 1e-2);
    const bool joint = trial.method != evaluate::single_task;
    const auto combiner = mtl::make_combiner(joint ? trial.method : "sum", tasks);
    mtl::BatchLoader train(data.rows(training_rows), {.shuffle = true, .seed = trial.seed});
    mtl::Trainer(model, adam, *combiner, {.epochs = 5}).fit(train);
    mtl::BatchLoader test(data.rows(test_rows));
    return evaluate::scores_of(mtl::validate(model, test));
  };
  const auto comparison = evaluate::compare({.tasks = {"temperature", "humidity"},
                                             .methods = {"sum", "upgrad"},
                                             .seeds = 3,
                                             .directory = folder,
                                             .processes = 2},
                                            recipe);
  std::fputs(comparison.text().c_str(), stdout);
  mtl::report::comparison_report(folder / "report", comparison, {.data = "120 days, unseen."});

  const auto front = evaluate::pareto_sweep({.tasks = {"temperature", "humidity"},
                                             .methods = {"fixed", "stch", "pbi"},
                                             .steps = 2,
                                             .directory = folder / "sweep"},
                                            recipe);
  std::fputs(front.text().c_str(), stdout);
  const auto picture = mtl::report::trade_off_chart(front);  // save() draws it
  const auto& finding = comparison.at("upgrad", "humidity", "mae");
  std::printf("%s\n", finding.judgement.text().c_str());

  mtl::TaskRegistry tasks;
  for (const char* name : {"temperature", "humidity"})
    tasks.add({.name = name, .head = mtl::nn::LinearHead(16, 1), .loss = mtl::MeanSquaredError{}});
  mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = 6, .hidden_sizes = {16}}), tasks);
  // After some steps of a joint model, over a few batches:
  Eigen::MatrixXd affinity = Eigen::MatrixXd::Zero(2, 2);
  mtl::BatchLoader batches(data.rows(training_rows), {.batch_size = 40});
  for (mtl::Batch batch; batches.next(batch);)
    affinity += evaluate::task_affinity(model, batch, 0.01) / 3;
  const auto division = evaluate::task_groups(affinity, 2);
  std::printf("%zu models\n", division.groups.size());

  evaluate::Tuner tuner({{.name = "temperature", .low = 0, .high = 2},
                         {.name = "humidity", .low = 0.01, .high = 2, .log = true}},
                        evaluate::ExpectedImprovement{},
                        {.trials = 20, .log = folder / "trials.csv"});
  while (const auto candidate = tuner.ask()) {
    const auto weights = candidate->text("temperature") + "/" + candidate->text("humidity");
    double sum = 0;
    for (const auto& score : recipe({.method = "fixed:weights=" + weights,
                             .tasks = {"temperature", "humidity"},
                             .directory = folder}))
      if (score.metric == "mae") sum += score.value;
    tuner.tell(*candidate, sum);
  }
  const auto best = tuner.best();
  std::printf("%s and %s: %.3f\n", best->candidate.text("temperature").c_str(),
              best->candidate.text("humidity").c_str(), best->score);

  const auto train_one_epoch = [](const evaluate::Candidate& candidate, int64_t epoch) {
    return std::pow(candidate.at("rate") - 0.1, 2) + 1 / static_cast<double>(epoch);
  };
  evaluate::Tuner hasty({{.name = "rate", .low = 1e-4, .high = 1, .log = true}},
                        evaluate::RandomSearch{}, {.trials = 30, .stop = evaluate::MedianRule{}});
  while (const auto candidate = hasty.ask()) {
    double score = 0;
    for (int64_t epoch = 1; epoch <= 20; ++epoch) {
      score = train_one_epoch(*candidate, epoch);
      if (hasty.should_stop(*candidate, epoch, score)) break;
    }
    hasty.tell(*candidate, score);
  }

  std::filesystem::remove_all(folder);
  return finding.joint.size() == 3 && !picture.script.empty() && best && hasty.best() ? 0 : 1;
}
