#include "network.hpp"

#include <nlohmann/json.hpp>

#include "members.hpp"

namespace weather {
namespace {

constexpr int64_t article_units = 256;
// The mtl recipe, chosen on the training years alone: docs/weather.md says how.
constexpr int64_t members = 4, units = 64;
constexpr double smooth_below = 0.3;  // standard deviations

/// Mean absolute error in degrees or per cent, of targets that are standardised.
mtl::Metric mae_in(double unit) {
  return {"mae", [unit](const Tensor& predictions, const Tensor& targets) {
            return unit * (predictions - targets).abs().mean().item<double>();
          }};
}

/// Counts what this process did, so that a resumed run does not divide by the epochs before it.
struct EpochCounter {
  int64_t epochs = 0;
  void on_epoch_end(const mtl::TrainState& /*state*/) { ++epochs; }
};

mtl::BatchLoader loader_of(const Encoding& encoding, const Days& days,
                           mtl::BatchLoader::Options options, int64_t batch_size = 0) {
  const int64_t end = days.size() - 1;  // the last day is nobody's target
  NamedTensors targets = encoding->targets(days);
  for (auto& target : targets) target.value() = target.value().narrow(0, 0, end);
  options.batch_size = batch_size > 0                          ? batch_size
                       : encoding->recipe() == Recipe::article ? 32
                                                               : 64;
  return mtl::BatchLoader(
      mtl::WindowDataset({{"days", encoding->inputs(days).narrow(0, 0, end)}}, targets,
                         {.length = window_days}, days.day_numbers().narrow(0, 0, end)),
      options);
}

/// In units, beside the truth.
mtl::Predictions answers(Network& network, const mtl::LoaderRef& loader, const Part& part) {
  return {.predictions = network.encoding->in_units(mtl::predict(network.model, loader).predictions,
                                                    part.days.filled.index_select(0, part.today())),
          .targets = part.truth(network.encoding->classes())};
}

}  // namespace

Network::Network(Encoding given, const Tensor& class_weights, const std::vector<std::string>& asked)
    : encoding(std::move(given)) {
  const bool article = encoding->recipe() == Recipe::article;
  // Huber's loss is `delta` times the absolute error far out: divided by it, slopes are those of
  // the absolute error.
  const OfMembers<mtl::Huber> huber{{.delta = smooth_below}, 1 / smooth_below};
  const mtl::CrossEntropy cross_entropy{.class_weights = class_weights};
  const auto head = [&](int64_t outputs) -> mtl::Head {
    if (article) return mtl::nn::LinearHead(article_units, outputs);
    return MemberHeads(members, units, outputs);
  };
  mtl::TaskRegistry tasks;
  const auto is_asked = [&](std::string_view task) {
    return asked.empty() || std::find(asked.begin(), asked.end(), task) != asked.end();
  };
  for (const Element task : {temp, rh})
    if (is_asked(name_of(task)))
      tasks.add({.name = std::string(name_of(task)),
                 .head = head(1),
                 .loss = article ? mtl::Loss(mtl::MeanSquaredError{}) : mtl::Loss(huber),
                 .metrics = {mae_in(encoding->unit(task))}});
  if (is_asked("weather"))
    tasks.add({.name = "weather",
               .head = head(encoding->classes().size()),
               .loss = article ? mtl::Loss(cross_entropy)
                               : mtl::Loss(OfMembers<mtl::CrossEntropy>{cross_entropy}),
               .metrics = {mtl::Accuracy{}}});
  const int64_t inputs = encoding->input_size();
  model = article ? mtl::HardSharing(mtl::nn::LstmEncoder({.input_size = inputs,
                                                           .hidden_size = article_units,
                                                           .layers = 3,
                                                           .dropout = 0.3}),
                                     tasks)
                  : mtl::HardSharing(MemberGrus(members, inputs, units), tasks);
  model->register_module("encoding", encoding.ptr());
}

void Network::save(const std::filesystem::path& path) const {
  mtl::io::Metadata metadata = {{"example", "weather"},
                                {"recipe", std::string(name_of(encoding->recipe()))},
                                {"classes", mtl::io::json_text(encoding->classes().classes(), -1)}};
  if (doubt) metadata["doubt"] = mtl::io::json_text(*doubt, -1);
  mtl::save(model, path, metadata);
}

Network Network::load(const std::filesystem::path& path) {
  mtl::io::Metadata metadata;
  mtl::io::read_safetensors(path, &metadata);
  if (metadata["example"] != "weather")
    throw mtl::Error("{} is not a model of this program. Train one, or name its folder with --out",
                     path.string());
  const mtl::io::Json classes = mtl::io::parse_json(metadata["classes"], path.string());
  Network network(Encoding(recipe_named(metadata["recipe"]),
                           mtl::LabelEncoder(classes.get<std::vector<std::string>>())));
  mtl::load(network.model, path);
  // Networks that were saved before know nothing of it.
  if (metadata.contains("doubt"))
    network.doubt = mtl::io::parse_json(metadata["doubt"], path.string()).get<Doubt>();
  return network;
}

NamedTensors forecast(Network& network, const Days& days) {
  const Date first = days.dates.back() - std::chrono::days(window_days - 1);
  const auto there =
      days.dates.end() - std::lower_bound(days.dates.begin(), days.dates.end(), first);
  if (there != window_days)
    throw mtl::Error("a forecast needs the last {} days, and of those from {} to {} there are {}",
                     window_days, to_text(first), to_text(days.dates.back()), there);
  const Days last = days.part(days.size() - window_days, days.size());
  const torch::NoGradGuard no_grad;
  network.model->eval();
  NamedTensors tomorrow = network.encoding->in_units(
      network.model->forward({{"days", network.encoding->inputs(last).unsqueeze(0)}}),
      last.filled.slice(0, window_days - 1));
  tomorrow["rh"].clamp_(0, 100);
  tomorrow["weather"] = tomorrow["weather"].softmax(1);
  return tomorrow;
}

Forecasts forecasts(Network& network, const Days& days) {
  const Part part = part_of(days);
  return {part, answers(network, loader_of(network.encoding, days, {}), part)};
}

Trained train(Recipe recipe, const TrainSettings& settings, const std::filesystem::path& folder,
              const Parts& parts) {
  const bool article = recipe == Recipe::article;
  const auto seed = static_cast<uint64_t>(settings.seed);
  const Encoding encoding(recipe, parts.classes, &parts.train.days);
  Tensor class_weights;
  if (settings.class_weights == "inverse-frequency")
    class_weights =
        mtl::inverse_frequency(
            mtl::class_counts(encoding->targets(parts.train.days)["weather"], parts.classes.size()))
            .to(torch::kFloat32);

  torch::manual_seed(seed);
  Trained trained{.network = Network(encoding, class_weights, settings.tasks)};
  mtl::HardSharing& model = trained.network.model;
  std::unique_ptr<torch::optim::Optimizer> optimizer;
  std::vector<mtl::Callback> callbacks;
  if (article) {
    optimizer = std::make_unique<torch::optim::Adam>(model->parameters(), 1e-3);
    callbacks = {mtl::StepLr{.step_size = 5, .gamma = 0.1}, mtl::EarlyStopping{.patience = 10},
                 mtl::BestModel{}};
  } else {
    optimizer = std::make_unique<torch::optim::AdamW>(
        model->parameters(), torch::optim::AdamWOptions(3e-3).weight_decay(0.01));
    callbacks = {mtl::OneCycleLr{}};
  }
  const int64_t own_epochs = article ? 100 : 15;
  mtl::Trainer trainer(model, *optimizer, mtl::make_combiner(settings.combiner, model->tasks()),
                       {.epochs = settings.epochs > 0 ? settings.epochs : own_epochs,
                        .max_grad_norm = 1.0,
                        .arithmetic = settings.precision == "bfloat16" ? mtl::Arithmetic::bfloat16
                                                                       : mtl::Arithmetic::float32,
                        .checkpoint = {.directory = folder / "checkpoint",
                                       .resume = settings.resume,
                                       .every_steps = settings.checkpoint_steps},
                        .processes = settings.processes});
  auto train_loader =
      loader_of(encoding, parts.train.days, {.shuffle = true, .seed = seed}, settings.batch_size);
  auto valid_loader = loader_of(encoding, parts.valid.days, {});
  EpochCounter counter;
  if (settings.progress) callbacks.emplace_back(mtl::ProgressBar{});
  // A report costs a backward pass a task: of every fortieth step that is hardly felt.
  trained.log = {.csv = folder / "combiner.csv", .every = 40};
  trained.run = trainer.fit(train_loader, valid_loader, callbacks, counter, trained.log,
                            mtl::StopOnInterrupt{});
  trained.best_epoch = article ? trained.run.best_epoch : trained.run.epochs();
  if (counter.epochs > 0)
    trained.seconds_per_epoch = trained.run.seconds / static_cast<double>(counter.epochs);
  trained.validation = answers(trained.network, valid_loader, parts.valid);
  return trained;
}

void learn_doubt(Trained& trained, const Parts& parts) {
  const int64_t classes = parts.classes.size();
  const Forecasts training = forecasts(trained.network, parts.train.days);
  const Forecasts unseen(parts.valid, trained.validation);
  const int64_t count = unseen.days.size(0), half = count / 2;
  if (const auto first = Doubt::learn(training, unseen.part(0, half), classes))
    trained.doubt = first->judge(unseen.part(half, count));
  trained.network.doubt = Doubt::learn(training, unseen, classes);
}

}  // namespace weather
