#include "methods.hpp"
#include "mtl/combine/losses/losses.hpp"

namespace mtl {
namespace {

Made make_kendall(Options options, Tasks tasks) {
  using Form = KendallUncertainty::Form;
  KendallUncertainty::Options chosen;
  chosen.form = options.choice(
      "form", chosen.form,
      {{"by_kind", Form::by_kind}, {"every_task_as_regression", Form::every_task_as_regression}});
  chosen.log_variance = options.number("log_variance", chosen.log_variance);
  return std::make_unique<KendallUncertainty>(tasks, chosen);
}

Made make_random_weights(Options options, Tasks) {
  using Distribution = RandomLossWeighting::Distribution;
  RandomLossWeighting::Options chosen;
  chosen.distribution = options.choice("distribution", chosen.distribution,
                                       {{"normal", Distribution::normal},
                                        {"uniform", Distribution::uniform},
                                        {"dirichlet", Distribution::dirichlet},
                                        {"bernoulli", Distribution::bernoulli}});
  chosen.seed = static_cast<uint64_t>(options.count("seed", 0));
  return std::make_unique<RandomLossWeighting>(std::move(chosen));
}

Made make_stch(Options options, Tasks) {
  Stch::Options chosen;
  chosen.mu = options.number("mu", chosen.mu);
  chosen.weights = options.numbers("weights");
  chosen.reference = options.numbers("reference");
  chosen.warm_up_epochs = options.count("warm_up_epochs", chosen.warm_up_epochs);
  return std::make_unique<Stch>(std::move(chosen));
}

Made make_famo(Options options, Tasks) {
  Famo::Options chosen;
  chosen.lr = options.number("lr", chosen.lr);
  chosen.weight_decay = options.number("weight_decay", chosen.weight_decay);
  chosen.min_losses = options.numbers("min_losses");
  return std::make_unique<Famo>(std::move(chosen));
}

Made make_cosmos(Options options, Tasks) {
  Cosmos::Options chosen;
  chosen.weights = options.numbers("weights");
  chosen.lambda = options.number("lambda", chosen.lambda);
  return std::make_unique<Cosmos>(std::move(chosen));
}

Made make_pbi(Options options, Tasks) {
  Pbi::Options chosen;
  chosen.weights = options.numbers("weights");
  chosen.theta = options.number("theta", chosen.theta);
  chosen.reference = options.numbers("reference");
  return std::make_unique<Pbi>(std::move(chosen));
}

}  // namespace

const std::vector<Method>& loss_methods() {
  static const std::vector<Method> methods = {
      {"sum", [](Options, Tasks) -> Made { return std::make_unique<Sum>(); }},
      {"mean", [](Options, Tasks) -> Made { return std::make_unique<Mean>(); }},
      {"fixed",
       [](Options options, Tasks) -> Made {
         return std::make_unique<FixedWeights>(options.numbers("weights"));
       }},
      {"geometric_mean", [](Options, Tasks) -> Made { return std::make_unique<GeometricMean>(); }},
      {"kendall", make_kendall},
      {"revised_uncertainty",
       [](Options, Tasks tasks) -> Made { return std::make_unique<RevisedUncertainty>(tasks); }},
      {"imtl_l", [](Options, Tasks tasks) -> Made { return std::make_unique<ImtlL>(tasks); }},
      {"dwa",
       [](Options options, Tasks) -> Made {
         DynamicWeightAverage::Options chosen;
         chosen.temperature =
             options.number("temperature", options.number("temp", chosen.temperature));
         return std::make_unique<DynamicWeightAverage>(chosen);
       }},
      {"rlw", make_random_weights},
      {"stch", make_stch},
      {"famo", make_famo},
      {"cosmos", make_cosmos},
      {"pbi", make_pbi},
      {"log_sum", [](Options, Tasks) -> Made { return std::make_unique<LogSum>(); }},
  };
  return methods;
}

}  // namespace mtl
