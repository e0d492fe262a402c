#include "program.hpp"

#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "mtl/core/error.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/json.hpp"
#include "mtl/io/safetensors.hpp"
#include "pictures.hpp"

namespace pets {
namespace {

using mtl::Tensor;
using mtl::io::Json;
using Say = std::function<void(const std::string&)>;

Json config_json(const Options& options, const Source& source) {
  return {{"data", options.data},
          {"test", options.test.string()},
          {"traits", options.traits.string()},
          {"backbone", options.backbone.string()},
          {"lambda", text_of(options.lambdas)},
          {"seed", options.seed},
          {"repeat", options.repeat},
          {"threads", options.threads},
          {"recipe",
           {{"epochs", source.recipe.epochs},
            {"batch_size", source.recipe.batch_size},
            {"learning_rate", source.recipe.learning_rate},
            {"weight_decay", source.recipe.weight_decay},
            {"label_smoothing", source.recipe.label_smoothing},
            {"dropout", source.recipe.dropout},
            {"widths", source.recipe.widths},
            {"augment", source.recipe.augment},
            {"refit", source.recipe.refit}}}};
}

mtl::NamedTensors weights_of(const mtl::HardSharing& model) {
  mtl::NamedTensors weights;
  for (const auto& item : model->named_parameters())
    weights.insert(item.key(), item.value().detach());
  for (const auto& item : model->named_buffers()) weights.insert(item.key(), item.value());
  return weights;
}

/// What prediction must know about the model besides its weights.
void save_model(const mtl::HardSharing& model, const Source& source, const Options& options,
                const Tensor& inputs) {
  const Json about = {
      {"breeds", source.breeds},
      {"widths", source.recipe.widths},
      {"input_shape", std::vector<int64_t>(inputs.sizes().begin() + 1, inputs.sizes().end())},
      {"backbone", options.backbone.string()}};
  mtl::io::write_safetensors(options.out / "best.safetensors", weights_of(model),
                             {{"pets", mtl::io::json_text(about, -1)}});
}

struct SavedModel {
  mtl::HardSharing model{nullptr};
  std::vector<std::string> breeds;
  std::vector<int64_t> input_shape;
  std::filesystem::path backbone;
};

SavedModel load_model(const std::filesystem::path& file) {
  mtl::io::Metadata metadata;
  const mtl::NamedTensors weights = mtl::io::read_safetensors(file, &metadata);
  if (!metadata.contains("pets"))
    throw mtl::Error("{}: not a model of this program.", file.string());
  const Json about = mtl::io::parse_json(metadata.at("pets"), file.string());
  SavedModel saved;
  saved.breeds = about.at("breeds").get<std::vector<std::string>>();
  saved.input_shape = about.at("input_shape").get<std::vector<int64_t>>();
  saved.backbone = about.at("backbone").get<std::string>();
  Recipe recipe;
  recipe.breeds = static_cast<int64_t>(saved.breeds.size());
  recipe.widths = about.at("widths").get<std::vector<int64_t>>();
  std::vector<int64_t> shape = saved.input_shape;
  shape.insert(shape.begin(), 1);
  saved.model = make_model(recipe, torch::zeros(shape), {});
  const torch::NoGradGuard no_grad;
  for (auto& item : weights_of(saved.model)) {
    const Tensor* weight = weights.find(item.key());
    if (!weight || weight->sizes() != item.value().sizes())
      throw mtl::Error("{}: the tensor \"{}\" is missing or has another shape.", file.string(),
                       item.key());
    item.value().copy_(*weight);
  }
  saved.model->eval();
  return saved;
}

}  // namespace

Findings run(const Options& options, const Say& say) {
  torch::set_num_threads(static_cast<int>(options.threads));
  const Source source = open_source(options, say);
  mtl::io::make_folder(options.out);
  mtl::io::write_json(options.out / "config.json", config_json(options, source));

  Findings findings;
  findings.title = "Pet breeds: " + source.description;
  findings.breeds = source.breeds;
  findings.warnings = source.warnings;
  findings.lambdas = options.lambdas;
  if (options.tune > 0) {
    say(fmt::format("searching {} lambdas on the validation pictures", options.tune));
    findings.trials = tune(source.sample(options.seed).parts, source.recipe, options.lambdas,
                           options.tune, options.seed);
    findings.lambdas = findings.trials.front().lambdas;
    say("best lambdas: " + text_of(findings.lambdas));
  }
  for (int64_t repeat = 0; repeat < options.repeat; ++repeat) {
    const uint64_t seed = options.seed + static_cast<uint64_t>(repeat);
    const Sample sample = source.sample(seed);
    findings.seeds.push_back(seed);
    findings.true_breeds.push_back(sample.parts.test.breeds);
    RunOptions first;
    if (repeat == 0) first = {.checkpoint = options.out / "checkpoint", .progress = true};
    findings.runs.push_back(train(sample.parts, source.recipe, findings.lambdas, seed, first));
    say(fmt::format("seed {}: validation {:.2f} %, test {:.2f} %", seed,
                    100 * findings.runs.back().validation.accuracy,
                    100 * findings.runs.back().test.accuracy));
    if (options.compare_baseline) {
      findings.baseline.push_back(train(sample.parts, source.recipe, Lambdas::none(), seed));
      say(fmt::format("seed {}, baseline: validation {:.2f} %, test {:.2f} %", seed,
                      100 * findings.baseline.back().validation.accuracy,
                      100 * findings.baseline.back().test.accuracy));
    }
    if (repeat == 0) {
      findings.test_picture = sample.test_picture;
      findings.test_name = sample.test_name;
      save_model(findings.runs.front().model, source, options, sample.parts.train.inputs);
    }
  }
  if (options.compare_baseline)
    findings.comparison = compare(findings.runs, findings.baseline, findings.true_breeds);
  const bool drawn = write(findings, options.out);
  say(summary(findings));
  if (!drawn) say("gnuplot is not installed: the report has no pictures.");
  say("Written to " + options.out.string() + " (report.html, metrics.json, best.safetensors).");
  return findings;
}

bool run_overfit(const Options& options, const Say& say) {
  torch::set_num_threads(static_cast<int>(options.threads));
  const Source source = open_source(options, say);
  const Overfit found = overfit_one_batch(source.sample(options.seed).parts.train, source.recipe,
                                          options.lambdas, options.seed);
  say(fmt::format(
      "one batch: loss of the breed {:.4f} at first, {:.4f} at last: {}", found.first_loss,
      found.last_loss,
      found.reached_zero ? "learnt by heart" : "NOT learnt by heart, something is wrong"));
  for (const std::string& suspicion : found.suspicions) say("  " + suspicion);
  return found.reached_zero;
}

void predict(const Options& options, const std::vector<std::filesystem::path>& files,
             const Say& say) {
  torch::set_num_threads(static_cast<int>(options.threads));
  const SavedModel saved = load_model(options.out / "best.safetensors");
  std::vector<PetPicture> asked;
  for (const auto& file : files) {
    PetPicture picture;
    picture.file = file;
    asked.push_back(std::move(picture));
  }
  const auto [pictures, flaws] = readable(asked, options.threads);
  for (const std::string& flaw : flaws) say(flaw);
  const bool features = saved.input_shape.size() == 1;
  const auto backbone = options.backbone.empty() ? saved.backbone : options.backbone;
  mtl::NamedTensors inputs;
  inputs.insert("picture",
                features ? FrozenFeatures(backbone).of(pictures, options.threads)
                         : small_pictures(pictures, saved.input_shape.back(), options.threads));
  const torch::NoGradGuard no_grad;
  auto model = saved.model;
  const mtl::NamedTensors found = model->forward(inputs);
  const Tensor probability = torch::softmax(found["breed"], 1);
  for (int64_t row = 0; row < probability.size(0); ++row) {
    const auto best = probability[row].argmax().item<int64_t>();
    say(fmt::format("{}: {} ({:.0f} %); {}", pictures[static_cast<size_t>(row)].file.string(),
                    saved.breeds[static_cast<size_t>(best)],
                    100 * probability[row][best].item<double>(), trait_text(found, row)));
  }
}

}  // namespace pets
