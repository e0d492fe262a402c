#include "study.hpp"

#include <fmt/format.h>

namespace pets {
namespace {

using mtl::Tensor;
using mtl::TensorDataset;

/// Mirrors pictures one by one and moves those of a batch together.
void mirror_and_shift(mtl::Batch& batch, torch::Generator& generator) {
  Tensor& pictures = batch.inputs["picture"];
  const Tensor mirror = torch::rand({pictures.size(0), 1, 1, 1}, generator) < 0.5;
  pictures = torch::where(mirror, pictures.flip(3), pictures);
  const int64_t side = pictures.size(3), most = side / 12;
  const Tensor shift = torch::randint(0, 2 * most + 1, {2}, generator);
  pictures = torch::replication_pad2d(pictures, {most, most, most, most})
                 .narrow(2, shift[0].item<int64_t>(), side)
                 .narrow(3, shift[1].item<int64_t>(), side);
}

mtl::BatchLoader in_order(const TensorDataset& pictures) { return {pictures, {.batch_size = 256}}; }

std::unique_ptr<mtl::Combiner> combiner_of(const Plan& plan, const mtl::TaskRegistry& tasks) {
  if (!plan.combiner.empty()) return mtl::make_combiner(plan.combiner, tasks);
  std::vector<double> weights;
  for (const mtl::Task& task : tasks) {
    const auto group = std::ranges::find(trait_groups, task.name, &TraitGroup::name);
    weights.push_back(group == trait_groups.end()
                          ? 1
                          : plan.lambdas[static_cast<size_t>(group - trait_groups.begin())]);
  }
  return std::make_unique<mtl::FixedWeights>(weights);
}

Trained fit(const TensorDataset& train, const TensorDataset* validation, const Plan& plan) {
  const Recipe& recipe = plan.recipe;
  torch::manual_seed(plan.seed);
  const Tensor weights = mtl::balanced(mtl::class_counts(train.targets()["breed"], recipe.breeds));
  mtl::HardSharing model = make_model(recipe, train.inputs()["picture"].sizes().slice(1),
                                      weights.to(torch::kFloat), plan.tasks);
  // Seeded anew: how many heads drew their first weights must not change what dropout draws.
  torch::manual_seed(mtl::mix_seed(plan.seed, 1));
  torch::optim::AdamW adam(
      model->parameters(),
      torch::optim::AdamWOptions(recipe.learning_rate).weight_decay(recipe.weight_decay));
  mtl::Trainer trainer(
      model, adam, combiner_of(plan, model->tasks()),
      {.epochs = recipe.epochs, .arithmetic = plan.arithmetic, .checkpoint = plan.checkpoint});
  std::vector<mtl::Callback> callbacks{mtl::CosineLr{.t_max = recipe.epochs}};
  if (plan.progress) callbacks.emplace_back(mtl::ProgressBar{});
  mtl::CombinerLog log{.csv = plan.log, .every = 5};
  if (!plan.log.empty()) callbacks.emplace_back(log);
  mtl::BatchLoader loader(train, {.batch_size = recipe.batch_size,
                                  .shuffle = true,
                                  .seed = plan.seed,
                                  .transform = recipe.augment ? mirror_and_shift : nullptr});
  mtl::TrainingRun run = validation ? trainer.fit(loader, in_order(*validation), callbacks)
                                    : trainer.fit(loader, callbacks);
  return {model, std::move(run), std::move(log)};
}

/// Puts the answers for more samples below those that are there.
void append(mtl::Predictions& answers, const mtl::Predictions& more) {
  for (const auto part : {&mtl::Predictions::predictions, &mtl::Predictions::targets})
    for (const auto& item : more.*part) {
      Tensor* before = (answers.*part).find(item.key());
      if (before == nullptr)
        (answers.*part).insert(item.key(), item.value());
      else
        *before = torch::cat({*before, item.value()});
    }
}

/// 1 for each test picture whose breed was recognised, else 0.
std::vector<double> hits(const Trained& run) {
  const Tensor said = run.found.predictions["breed"].argmax(1);
  const Tensor hit = said.eq(run.found.targets["breed"]).to(torch::kDouble);
  return {hit.data_ptr<double>(), hit.data_ptr<double>() + hit.numel()};
}

/// What is compared: the accuracy of each run, or the pictures of the only one.
std::vector<double> outcomes(const std::vector<Trained>& runs) {
  if (runs.size() == 1) return hits(runs.front());
  std::vector<double> accuracies;
  for (const Trained& run : runs) accuracies.push_back(mtl::evaluate::mean(hits(run)));
  return accuracies;
}

/// The lowest loss that soft scores allow: their own entropy.
double entropy(const Tensor& scores) {
  const Tensor p = scores.clamp(1e-6, 1 - 1e-6);
  return (-(p * p.log() + (1 - p) * (1 - p).log())).nanmean().item<double>();
}

}  // namespace

Lambdas parse_lambdas(std::string_view text) {
  Lambdas lambdas = tuned_lambdas;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const auto equals = part.find('=');
    const auto group = std::ranges::find(trait_groups, part.substr(0, equals), &TraitGroup::name);
    double value = -1;
    if (group == trait_groups.end() || equals == std::string_view::npos ||
        !mtl::io::parse_number(part.substr(equals + 1), value) || value < 0)
      throw mtl::Error("--lambda: found \"{}\", expected values of at least 0, as in {}", part,
                       text_of(tuned_lambdas));
    lambdas[static_cast<size_t>(group - trait_groups.begin())] = value;
  }
  return lambdas;
}

std::string text_of(const Lambdas& lambdas) {
  return fmt::format("ear={:.3g},hair={:.3g},figure={:.3g}", lambdas[0], lambdas[1], lambdas[2]);
}

mtl::HardSharing make_model(const Recipe& recipe, torch::IntArrayRef input_shape,
                            const Tensor& class_weights, const std::vector<std::string>& tasks) {
  const auto encoder = input_shape.size() == 3
                           ? mtl::Encoder(mtl::nn::CnnEncoder({.input_channels = input_shape[0],
                                                               .channels = recipe.widths,
                                                               .dropout = recipe.dropout}))
                           : mtl::Encoder(mtl::nn::MlpEncoder({.input_size = input_shape[0],
                                                               .hidden_sizes = recipe.widths,
                                                               .dropout = recipe.dropout}));
  const int64_t width = recipe.widths.back();
  const auto asked = [&](const std::string& name) {
    return tasks.empty() || std::ranges::count(tasks, name) > 0;
  };
  mtl::TaskRegistry registry;
  if (asked("breed"))
    registry.add({.name = "breed",
                  .head = mtl::nn::LinearHead(width, recipe.breeds),
                  .loss = mtl::CrossEntropy{.class_weights = class_weights,
                                            .label_smoothing = recipe.label_smoothing},
                  .metrics = {mtl::Accuracy{}, mtl::TopK{.k = std::min<int64_t>(5, recipe.breeds),
                                                         .name = "top_5"}}});
  for (const TraitGroup& group : trait_groups)
    if (asked(group.name))
      registry.add({.name = group.name,
                    .head = mtl::nn::LinearHead(width, std::ssize(group.traits)),
                    .loss = mtl::BinaryCrossEntropy{},
                    .metrics = {mtl::SoftBce{}},
                    .auxiliary = asked("breed")});
  return mtl::HardSharing(encoder, registry, "picture");
}

Plan Plan::below(const std::string& name) const {
  Plan plan = *this;
  if (!plan.checkpoint.directory.empty()) plan.checkpoint.directory /= name;
  plan.log.clear();
  return plan;
}

TensorDataset Sample::without(size_t fold) const {
  Tensor kept = torch::ones({learn.size()}, torch::kBool);
  return learn.rows(kept.index_fill_(0, folds[fold], 0).nonzero().squeeze(1));
}

std::vector<Tensor> folds_of_neighbours(const Tensor& breeds, int64_t count) {
  const auto classes = breeds.max().item<int64_t>() + 1;
  std::vector<std::vector<int64_t>> rows(static_cast<size_t>(count));
  for (int64_t breed = 0; breed < classes; ++breed) {
    const Tensor own = breeds.eq(breed).nonzero().squeeze(1);
    for (int64_t i = 0; i < own.numel(); ++i)  // breeds begin at different parts, which even out
      rows[static_cast<size_t>((i * count / own.numel() + breed) % count)].push_back(
          own[i].item<int64_t>());
  }
  std::vector<Tensor> folds;
  for (const auto& fold : rows)
    if (!fold.empty()) folds.push_back(torch::tensor(fold));
  return folds;
}

Trained train(const Sample& sample, const Plan& plan) {
  Trained result;
  mtl::Predictions judged;
  for (size_t fold = 0; fold < sample.folds.size(); ++fold) {
    const TensorDataset judge = sample.learn.rows(sample.folds[fold]);
    Trained part = fit(sample.without(fold), fold == 0 ? &judge : nullptr,
                       fold == 0 ? plan : plan.below(fmt::format("fold-{}", fold)));
    append(judged, mtl::predict(part.model, in_order(judge)));
    if (fold == 0) result = std::move(part);
  }
  result.judged = std::move(judged);
  if (sample.folds.size() != 1)
    result.model = fit(sample.learn, nullptr, plan.below("whole")).model;
  result.found = mtl::predict(result.model, in_order(sample.test));
  return result;
}

double metric_of(const Trained& run, const mtl::Predictions& answers, const std::string& task,
                 const std::string& metric) {
  const mtl::Task& judged = run.model->tasks().at(task);
  const auto place = std::ranges::find(judged.metrics, metric, &mtl::Metric::name);
  return mtl::metrics_of(judged, answers).at(static_cast<size_t>(place - judged.metrics.begin()));
}

Estimate estimate(const std::vector<Trained>& runs) {
  std::vector<double> accuracies;
  for (const Trained& run : runs)
    accuracies.push_back(
        mtl::BalancedAccuracy{}(run.judged.predictions["breed"], run.judged.targets["breed"]));
  const double accuracy = mtl::evaluate::mean(accuracies);
  // So many pictures in equal numbers would leave the same doubt.
  const Tensor all = mtl::class_counts(runs[0].judged.targets["breed"],
                                       runs[0].judged.predictions["breed"].size(1));
  const Tensor counts = all.masked_select(all > 0).to(torch::kDouble);
  const auto pictures =
      std::pow(static_cast<double>(counts.numel()), 2) / counts.reciprocal().sum().item<double>();
  return {accuracy, mtl::evaluate::proportion_interval(std::llround(accuracy * pictures),
                                                       std::llround(pictures))};
}

Comparison compare(const std::vector<Trained>& with, const std::vector<Trained>& without) {
  const auto first = outcomes(with), second = outcomes(without);
  return {mtl::evaluate::paired_t_test(first, second),
          mtl::evaluate::wilcoxon_signed_rank(first, second).p_value,
          with.size() > 1 ? "seeds" : "pictures"};
}

Search tune(const Sample& sample, const Plan& plan, int64_t count,
            const std::filesystem::path& log) {
  namespace evaluate = mtl::evaluate;
  std::vector<evaluate::Dimension> space;
  for (size_t g = 0; g < trait_groups.size(); ++g)
    space.push_back({.name = trait_groups[g].name, .high = std::max(2.0, plan.lambdas[g])});
  const std::array<Lambdas, 2> known{plan.lambdas, no_lambdas};
  const auto method = [&](const evaluate::SearchState& state) {
    if (state.next >= std::ssize(known)) return evaluate::ExpectedImprovement{}(state);
    const Lambdas& lambdas = known[static_cast<size_t>(state.next)];
    return std::optional(evaluate::Proposal{{lambdas.begin(), lambdas.end()}});
  };
  evaluate::Tuner tuner(space, method,
                        {.better = mtl::Better::higher,
                         .trials = count + std::ssize(known),
                         .seed = plan.seed,
                         .log = log});
  while (const auto candidate = tuner.ask()) {
    Plan trial = plan.below(fmt::format("trial-{}", candidate->trial));
    for (size_t g = 0; g < trial.lambdas.size(); ++g)
      trial.lambdas[g] = candidate->settings[g].value;
    const TensorDataset judge = sample.learn.rows(sample.folds[0]);
    const mtl::TrainingRun run = fit(sample.without(0), &judge, trial).run;
    tuner.tell(*candidate, run.history.last().valid("breed", "accuracy"));
  }
  Search search;
  for (const evaluate::TuningTrial& trial : tuner.trials())
    search.trials.push_back({{trial.values[0], trial.values[1], trial.values[2]}, trial.score});
  std::ranges::stable_sort(search.trials, std::ranges::greater(), &Trial::accuracy);
  const auto best = evaluate::expected_best(tuner);
  for (size_t g = 0; g < search.best.size(); ++g)
    search.best[g] = best->candidate.settings[g].value;
  search.expected = best->score;
  return search;
}

Overfit overfit_one_batch(const TensorDataset& train, Plan plan) {
  const int64_t count = std::min<int64_t>(32, train.size());
  const TensorDataset batch =
      train.rows(mtl::shuffled_order(train.size(), plan.seed).narrow(0, 0, count));
  Recipe& recipe = plan.recipe;
  recipe.label_smoothing = recipe.dropout = recipe.weight_decay = 0;  // they forbid a loss of zero
  recipe.augment = false;
  recipe.batch_size = count;
  recipe.epochs = 300;
  const mtl::TrainingRun run = fit(batch, nullptr, plan).run;
  const mtl::SplitRecord& last = run.history.last().train;
  const double first_loss = run.history.at(1).train("breed"), last_loss = last("breed");
  const double chance = std::log(static_cast<double>(recipe.breeds));
  Overfit result{first_loss, last_loss, last_loss < 0.05, {}};
  const auto suspect = [&](bool wrong, const std::string& text) {
    if (wrong) result.suspicions.push_back(text);
  };
  suspect(first_loss > 2 * chance,
          fmt::format("The first loss is {:.2f} where guessing costs {:.2f}: are the pictures "
                      "normalised?",
                      first_loss, chance));
  const Tensor flat = batch.inputs()["picture"].flatten(1), breeds = batch.targets()["breed"];
  const Tensor same_picture = torch::cdist(flat, flat) < 1e-4;
  const Tensor other_breed = breeds.unsqueeze(0) != breeds.unsqueeze(1);
  suspect(!flat.isfinite().all().item<bool>(), "Some pictures hold values that are not finite.");
  suspect((flat.std(0).max() < 1e-6).item<bool>(), "All pictures of the batch are the same.");
  suspect((same_picture & other_breed).any().item<bool>(),
          "Two equal pictures have different breeds: no model can tell them apart.");
  suspect(!result.reached_zero && last_loss > 0.9 * first_loss,
          "The loss hardly falls: is the learning rate far too small or large?");
  for (size_t g = 0; g < plan.lambdas.size(); ++g) {
    const std::string& name = trait_groups[g].name;
    const double excess = last(name) - entropy(batch.targets()[name]);
    suspect(plan.lambdas[g] > 0 && excess > 0.1,
            fmt::format("The loss of {} stays at {:.2f}, {:.2f} above what its scores allow.", name,
                        last(name), excess));
  }
  suspect(!result.reached_zero && result.suspicions.empty(),
          "Nothing else stands out: look at labels and at the model's size.");
  return result;
}

}  // namespace pets
