#include "study.hpp"

#include <fmt/ranges.h>

#include <sstream>

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
  const std::string combiner = plan.combiner.empty()
                                   ? fmt::format("fixed:weights=1/{}", fmt::join(plan.lambdas, "/"))
                                   : plan.combiner;
  mtl::Trainer trainer(
      model, adam, mtl::make_combiner(combiner, model->tasks()),
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

}  // namespace

Lambdas parse_lambdas(const std::string& text) {
  Lambdas lambdas = tuned_lambdas;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto equals = part.find('=');
    const auto group = std::ranges::find(trait_groups, part.substr(0, equals), &TraitGroup::name);
    double value = -1;
    if (group == trait_groups.end() || equals == part.npos ||
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
  const bool breed = std::ranges::count(tasks, "breed") > 0;
  mtl::TaskRegistry registry;
  if (breed)
    registry.add({.name = "breed",
                  .head = mtl::nn::LinearHead(width, recipe.breeds),
                  .loss = mtl::CrossEntropy{.class_weights = class_weights,
                                            .label_smoothing = recipe.label_smoothing},
                  .metrics = {mtl::Accuracy{}, top_5(recipe.breeds)}});
  for (const TraitGroup& group : trait_groups)
    if (std::ranges::count(tasks, group.name) > 0)
      registry.add({.name = group.name,
                    .head = mtl::nn::LinearHead(width, std::ssize(group.traits)),
                    .loss = mtl::BinaryCrossEntropy{},
                    .metrics = {mtl::SoftBce{}},
                    .auxiliary = breed});
  return mtl::HardSharing(encoder, registry, "picture");
}

Plan Plan::below(const std::string& name) const {
  Plan plan = *this;
  if (!plan.checkpoint.directory.empty()) plan.checkpoint.directory /= name;
  plan.log.clear();
  return plan;
}

Trained train(const Sample& sample, const Plan& plan) {
  Trained result;
  std::vector<mtl::evaluate::RowPredictions> judged;
  int64_t count = 0;
  for (const mtl::Fold& fold : sample.folds) {
    const bool first = judged.empty();
    const TensorDataset judge = sample.learn.rows(fold.test);
    Trained part = fit(sample.learn.rows(fold.train), first ? &judge : nullptr,
                       first ? plan : plan.below(fmt::format("fold-{}", judged.size())));
    judged.push_back(
        {torch::arange(count, count + judge.size()), mtl::predict(part.model, in_order(judge))});
    count += judge.size();
    if (first) result = std::move(part);
  }
  if (count > 0) result.judged = mtl::evaluate::in_row_order(judged).predictions;
  if (judged.size() != 1) result.model = fit(sample.learn, nullptr, plan.below("whole")).model;
  result.found = mtl::predict(result.model, in_order(sample.test));
  return result;
}

std::vector<double> each(const std::vector<Trained>& runs, mtl::Predictions Trained::*answers,
                         const mtl::Metric& metric, const std::string& task) {
  std::vector<double> values;
  for (const Trained& run : runs)
    values.push_back(metric((run.*answers).predictions[task], (run.*answers).targets[task]));
  return values;
}

Estimate estimate(const std::vector<Trained>& runs) {
  const double accuracy =
      mtl::evaluate::mean(each(runs, &Trained::judged, mtl::BalancedAccuracy{}));
  // So many pictures in equal numbers would leave the same doubt.
  const Tensor all = torch::bincount(runs[0].judged.targets["breed"]).to(torch::kDouble);
  const Tensor parts = all.masked_select(all > 0).reciprocal();
  const auto pictures = static_cast<double>(parts.numel()) / parts.mean().item<double>();
  return {accuracy, mtl::evaluate::proportion_interval(std::llround(accuracy * pictures),
                                                       std::llround(pictures))};
}

Comparison compare(const std::vector<Trained>& with, const std::vector<Trained>& without) {
  const bool several = with.size() > 1;
  const auto outcomes = [&](const std::vector<Trained>& runs) {
    if (several) return each(runs, &Trained::found);
    const mtl::Predictions& found = runs[0].found;
    const Tensor said = found.predictions["breed"].argmax(1);
    const Tensor hit = said.eq(found.targets["breed"]).to(torch::kDouble);
    return std::vector<double>(hit.data_ptr<double>(), hit.data_ptr<double>() + hit.numel());
  };
  const auto first = outcomes(with), second = outcomes(without);
  return {mtl::evaluate::paired_t_test(first, second),
          mtl::evaluate::wilcoxon_signed_rank(first, second).p_value,
          several ? "seeds" : "pictures"};
}

Search tune(const Sample& sample, const Plan& plan, int64_t count,
            const std::filesystem::path& log) {
  namespace evaluate = mtl::evaluate;
  std::vector<evaluate::Dimension> space;
  for (size_t g = 0; g < trait_groups.size(); ++g)
    space.push_back({.name = trait_groups[g].name, .high = std::max(2.0, plan.lambdas[g])});
  evaluate::Tuner tuner(space, evaluate::ExpectedImprovement{},
                        {.better = mtl::Better::higher,
                         .trials = count + 2,
                         .seed = plan.seed,
                         .log = log,
                         .first = {plan.lambdas, no_lambdas}});
  const auto lambdas_of = [&](const evaluate::Candidate& candidate) {
    return tuner.trials()[static_cast<size_t>(candidate.trial)].values;
  };
  const TensorDataset train = sample.learn.rows(sample.folds[0].train);
  const TensorDataset judge = sample.learn.rows(sample.folds[0].test);
  while (const auto candidate = tuner.ask()) {
    Plan trial = plan.below(fmt::format("trial-{}", candidate->trial));
    trial.lambdas = lambdas_of(*candidate);
    tuner.tell(*candidate, fit(train, &judge, trial).run.history.last().valid("breed", "accuracy"));
  }
  const auto best = evaluate::expected_best(tuner);
  Search search{lambdas_of(best->candidate), best->score, tuner.trials()};
  std::ranges::stable_sort(search.trials, std::ranges::greater(), &evaluate::TuningTrial::score);
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
    const Tensor& scores = batch.targets()[name];
    // They allow no lower loss than their own entropy.
    const double excess = last(name) - mtl::SoftBce{}(scores.logit(1e-6), scores);
    suspect(plan.lambdas[g] > 0 && excess > 0.1,
            fmt::format("The loss of {} stays at {:.2f}, {:.2f} above what its scores allow.", name,
                        last(name), excess));
  }
  suspect(!result.reached_zero && result.suspicions.empty(),
          "Nothing else stands out: look at labels and at the model's size.");
  return result;
}

}  // namespace pets
