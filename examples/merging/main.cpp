// Two models of the pets, tuned from one ImageNet encoder on different tasks, become one without
// training: each way of merging beside the models themselves.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "pets/files/pictures.hpp"
#include "pets/files/traits.hpp"

namespace {

using mtl::NamedTensors;
using mtl::Tensor;

struct Options {
  std::string data = PETS_DATA, traits = PETS_TRAITS, weights;
  int64_t side = 128, frozen = 11, epochs = 5, adaptation = 60, batch = 32;
  double learning_rate = 2e-4;
  uint64_t seed = 1;
};

const std::vector<std::string> trait_tasks = {"ear", "hair", "figure"};

/// The middle squares of the pictures with breed and traits.
mtl::TensorDataset read(const Options& options, int64_t& breeds) {
  const pets::PetData data = pets::read_pets(options.data);
  breeds = std::ssize(data.breeds);
  const auto [readable, images, flaws] = pets::readable(data.pictures, 1);
  // Around 0 and 1 wide, to the encoder's own scale.
  using Encoder = mtl::nn::EfficientNetLiteImpl;
  const Tensor seen =
      (pets::small_pictures(images, options.side, 1) * 0.25 + 0.45 - Encoder::picture_mean) /
      Encoder::picture_deviation;
  return mtl::TensorDataset(
      {{"picture", seen}},
      pets::pet_targets(readable, data.breeds, pets::read_traits(options.traits, "breed")));
}

/// Of traits: the one that scores most is the one that does so in truth.
double most_likely(const Tensor& scores, const Tensor& truth) {
  return scores.argmax(1).eq(truth.argmax(1)).to(torch::kDouble).mean().item<double>();
}

mtl::TaskRegistry tasks_of(const std::vector<std::string>& names, int64_t breeds) {
  constexpr int64_t width = mtl::nn::EfficientNetLiteImpl::output_size;
  mtl::TaskRegistry tasks;
  for (const std::string& name : names)
    if (name == "breed")
      tasks.add({.name = name,
                 .head = mtl::nn::LinearHead(width, breeds),
                 .loss = mtl::CrossEntropy{.label_smoothing = 0.1},
                 .metrics = {mtl::Accuracy{}}});
    else
      tasks.add({.name = name,
                 .head = mtl::nn::LinearHead(width, name == "figure" ? 3 : 4),
                 .loss = mtl::BinaryCrossEntropy{},
                 .metrics = {mtl::Metric("accuracy", most_likely, mtl::Better::higher)}});
  return tasks;
}

void mirror(mtl::Batch& batch, torch::Generator& generator) {
  Tensor& pictures = batch.inputs["picture"];
  const Tensor mirrored = torch::rand({pictures.size(0), 1, 1, 1}, generator) < 0.5;
  pictures = torch::where(mirrored, pictures.flip(3), pictures);
}

mtl::BatchLoader in_order(const mtl::TensorDataset& pictures) {
  return {pictures, {.batch_size = 64}};
}

/// The ImageNet encoder, its first blocks frozen, with heads that are fitted to what it sees.
mtl::HardSharing start_model(const std::vector<std::string>& names, const mtl::TensorDataset& train,
                             int64_t breeds, const Options& options) {
  torch::manual_seed(options.seed);
  mtl::nn::EfficientNetLite encoder;
  encoder->load_weights(options.weights);
  encoder->freeze_until(options.frozen);
  mtl::HardSharing model(encoder, tasks_of(names, breeds), "picture");
  model->eval();
  std::vector<Tensor> seen, heads;
  {
    const torch::NoGradGuard no_grad;
    auto loader = in_order(train);
    for (mtl::Batch batch; loader.next(batch);)
      seen.push_back(encoder->forward(batch.inputs["picture"]));
  }
  mtl::HardSharing on_features(torch::nn::Identity(), tasks_of(names, breeds), "picture");
  mtl::BatchLoader features(mtl::TensorDataset({{"picture", torch::cat(seen)}}, train.targets()),
                            {.batch_size = 64, .shuffle = true, .seed = options.seed});
  torch::optim::AdamW adam(on_features->parameters(), torch::optim::AdamWOptions(3e-3));
  mtl::Trainer(on_features, adam, mtl::Sum(), {.epochs = 30}).fit(features);
  mtl::warm_start(model, mtl::nn::weights(*on_features));
  return model;
}

/// Accuracy of each task in percent.
std::vector<double> accuracies(mtl::ModelRef model, const mtl::TensorDataset& test) {
  const auto record = mtl::validate(model, in_order(test));
  std::vector<double> all;
  for (const mtl::Task& task : model->tasks()) all.push_back(100 * record(task.name, "accuracy"));
  return all;
}

void print_row(const std::string& name, const std::vector<double>& row,
               const std::vector<double>& own) {
  double worst = 1e9;
  for (size_t t = 0; t < row.size(); ++t) worst = std::min(worst, row[t] - own[t]);
  fmt::print("| {} | {:.1f} | {:.1f} | {:.1f} | {:.1f} | {:+.1f} |\n", name, row[0], row[1], row[2],
             row[3], worst);
  std::fflush(stdout);
}

void run(const Options& options) {
  int64_t breeds = 0;
  const mtl::TensorDataset data = read(options, breeds);
  const std::vector<double> shares{0.7, 0.3};
  const auto parts = mtl::stratified_parts(data.targets()["breed"], shares, options.seed);
  const mtl::TensorDataset train = data.rows(parts[0]), test = data.rows(parts[1]);

  const auto tuned = [&](const mtl::HardSharing& start) {
    mtl::HardSharing model = mtl::clone(start);
    using Adam = torch::optim::AdamWOptions;
    torch::optim::AdamW adam(mtl::parameter_groups(*model, Adam(options.learning_rate),
                                                   Adam(5 * options.learning_rate)));
    mtl::BatchLoader loader(train, {.batch_size = options.batch,
                                    .shuffle = true,
                                    .seed = options.seed,
                                    .drop_last = true,
                                    .transform = mirror});
    mtl::Trainer(model, adam, mtl::Sum(), {.epochs = options.epochs})
        .fit(loader, mtl::CosineLr{.t_max = options.epochs});
    return model;
  };
  const mtl::HardSharing breed_start = start_model({"breed"}, train, breeds, options);
  const mtl::HardSharing trait_start = start_model(trait_tasks, train, breeds, options);
  const NamedTensors start = mtl::nn::cloned(mtl::shared_weights(breed_start));
  const mtl::HardSharing breed = tuned(breed_start), traits = tuned(trait_start);
  const auto both = [&](const mtl::HardSharing& a, const mtl::HardSharing& b) {
    auto row = accuracies(a, test);
    const auto others = accuracies(b, test);
    row.insert(row.end(), others.begin(), others.end());
    return row;
  };

  fmt::print("{} pictures to learn from, {} to test\n\n", train.size(), test.size());
  fmt::print("| shared encoder | breed | ear | hair | figure | worst against own |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  const auto own = both(breed, traits);
  print_row("each its own (two encoders)", own, own);
  print_row("the start, heads fitted to it", both(breed_start, trait_start), own);
  const auto merged = [&](const mtl::Merging& merging) {
    return mtl::merge_models(start, std::vector{breed, traits}, merging);
  };
  using Ties = mtl::TiesMerging;
  const std::vector<std::pair<std::string, mtl::Merging>> ways = {
      {"MeanMerging", mtl::MeanMerging{}},
      {"TaskArithmetic, scale 0.3", mtl::TaskArithmetic{}},
      {"TaskArithmetic, scale 0.7", mtl::TaskArithmetic{.scale = 0.7}},
      {"TiesMerging", Ties{}},
      {"TiesMerging, keep 0.6", Ties{.keep = 0.6}},
      {"DareMerging, then TaskArithmetic 0.5",
       mtl::DareMerging{.seed = options.seed, .then = mtl::TaskArithmetic{.scale = 0.5}}},
      {"DareMerging, then TiesMerging", mtl::DareMerging{.seed = options.seed, .then = Ties{}}}};
  for (const auto& [name, merging] : ways) print_row(name, accuracies(merged(merging), test), own);

  for (const auto by : {mtl::AdaMerging::By::task, mtl::AdaMerging::By::layer}) {
    mtl::HardSharing model = merged(mtl::TaskArithmetic{});
    mtl::BatchLoader unlabelled(train, {.batch_size = 16, .shuffle = true, .seed = options.seed});
    int64_t epoch = 0;
    mtl::AdaMerging{.by = by, .learning_rate = 1e-2, .steps = options.adaptation}(
        model, start, {mtl::shared_weights(breed), mtl::shared_weights(traits)},
        [&] {
          mtl::Batch batch;
          while (!unlabelled.next(batch)) unlabelled.start_epoch(++epoch);
          return batch.inputs;
        },
        [](const NamedTensors& p) {
          Tensor sum = mtl::softmax_entropy(p["breed"]).mean();
          for (const std::string& trait : trait_tasks)
            sum = sum + mtl::sigmoid_entropy(p[trait]).mean();
          return sum;
        });
    print_row(by == mtl::AdaMerging::By::task ? "AdaMerging by task" : "AdaMerging by layer",
              accuracies(model, test), own);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app("Merges models of the pets that were tuned on different tasks");
  app.add_option("--weights", options.weights,
                 "EfficientNet-Lite0 as safetensors (examples/pets/convert_efficientnet.py)")
      ->required()
      ->check(CLI::ExistingFile);
  app.add_option("--data", options.data, "Folder of pet pictures")->capture_default_str();
  app.add_option("--traits", options.traits, "Traits of the breeds")->capture_default_str();
  app.add_option("--side", options.side, "Pixels of the square")->capture_default_str();
  app.add_option("--frozen", options.frozen, "Blocks that are not tuned")->capture_default_str();
  app.add_option("--epochs", options.epochs, "Of tuning")->capture_default_str();
  app.add_option("--learning-rate", options.learning_rate, "Of the encoder")->capture_default_str();
  app.add_option("--adaptation", options.adaptation, "Steps of AdaMerging")->capture_default_str();
  app.add_option("--seed", options.seed, "Of split, heads and order")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  torch::set_num_threads(1);
  run(options);
  return 0;
} catch (const mtl::Error& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
