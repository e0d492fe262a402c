#include <fmt/format.h>

#include "drawn.hpp"
#include "files/pictures.hpp"
#include "program.hpp"

namespace pets {
namespace {

using mtl::Tensor;

/// A small network from nothing: what runs without the ImageNet encoder.
Recipe cnn_recipe(const std::vector<int64_t>& widths, double learning_rate) {
  return {.epochs = 60,
          .learning_rate = learning_rate,
          .dropout = 0.2,
          .widths = widths,
          .augment = true,
          .folds = 1};
}

class DrawnSource : public Source {
 public:
  explicit DrawnSource(const Options& options)
      : each_(options.each), traits_(read_traits(options.traits, "breed")) {
    for (const auto& [breed, scores] : traits_) breeds.push_back(breed);
    description = fmt::format("drawn faces of {} breeds, {} a breed to learn from", breeds.size(),
                              options.each);
    recipe = cnn_recipe({16, 32, 64, 128}, 3e-3);
  }

  Sample sample(uint64_t seed) override {
    constexpr int64_t validation_each = 4, test_each = 12;
    const auto drawn = [&](int64_t each, uint64_t part) {
      return draw_pets(traits_, each, 48, mtl::mix_seed(seed, part));
    };
    const auto scaled = [](const mtl::TensorDataset& pets) {
      const Tensor pictures = pets.inputs()["picture"].to(torch::kFloat);
      return mtl::TensorDataset({{"picture", (pictures / 255 - 0.45) / 0.25}}, pets.targets());
    };
    const auto train = drawn(each_, 1), judge = drawn(validation_each, 2),
               test = drawn(test_each, 3);
    return {scaled(train.joined(judge)),
            scaled(test),
            {{torch::arange(train.size()), torch::arange(judge.size()) + train.size()}},
            [names = breeds](int64_t row) {
              return fmt::format("{}_{}", names[static_cast<size_t>(row / test_each)],
                                 row % test_each + 1);
            },
            [test](int64_t row) { return test.inputs()["picture"][row]; }};
  }

 private:
  int64_t each_;
  TraitScores traits_;
};

class FolderSource : public Source {
 public:
  explicit FolderSource(const Options& options)
      : options_(options), data_(read_pets(options.data)) {
    breeds = data_.breeds;
    description = options.data;
    breed_traits_ = read_traits(options.traits, "breed", breeds);
    if (!options.picture_traits.empty())
      picture_traits_ = read_traits(options.picture_traits, "picture");
    if (!options.test.empty()) test_data_ = read_pets(options.test);
    if (!options.backbone.empty()) features_.emplace(options.backbone);
    if (!features_) recipe = cnn_recipe({32, 64, 128, 256}, 2e-3);
    for (const std::string& breed : breeds)
      if (!breed_traits_.contains(breed))
        warnings.push_back("No trait scores for " + breed + ": its pictures teach the breed only.");
  }

  Sample sample(uint64_t seed) override {
    if (!own_) own_ = read(data_);
    if (!unseen_ && test_data_) unseen_ = read(*test_data_);
    const Collection& tested = unseen_ ? *unseen_ : *own_;
    std::vector<int64_t> to_learn, to_test;  // by the official split
    for (int64_t row = 0; row < own_->tensors.size(); ++row)
      (own_->pets[static_cast<size_t>(row)].official_test ? to_test : to_learn).push_back(row);
    Tensor learn = torch::tensor(to_learn);
    Tensor test = unseen_ ? torch::arange(unseen_->tensors.size()) : torch::tensor(to_test);
    const Tensor& breed = own_->tensors.targets()["breed"];
    const auto split = [&] {
      const Tensor classes = breed.index_select(0, learn);
      const auto [most, others] = mtl::stratified_split(classes, {0.85, 0.15}, seed);
      return mtl::Fold{most, others};
    };
    if (test.numel() == 0) {
      const auto [kept, taken] = split();
      test = learn.index_select(0, taken);
      learn = learn.index_select(0, kept);
    }
    const auto folds = recipe.folds == 1
                           ? std::vector{split()}
                           : mtl::neighbour_folds(breed.index_select(0, learn), recipe.folds);
    const auto pet = [test, pets = tested.pets](int64_t row) {
      return pets[static_cast<size_t>(test[row].item<int64_t>())];
    };
    return {own_->tensors.rows(learn), tested.tensors.rows(test), folds,
            [pet](int64_t row) { return pet(row).name; },
            [pet](int64_t row) {
              return mtl::images::to_tensor(mtl::images::read(pet(row).file).image);
            }};
  }

 private:
  /// Pets whose pictures can be read, and what the model reads of them.
  struct Collection {
    std::vector<PetPicture> pets;
    mtl::TensorDataset tensors;
  };

  Collection read(const PetData& data) {
    const auto [pets, images, flaws] = readable(data.pictures, options_.threads);
    warnings.insert(warnings.end(), flaws.begin(), flaws.end());
    fmt::print("{} pictures of {} breeds ({}), {} with a flaw\n", images.size(), breeds.size(),
               data.layout, flaws.size());
    const auto targets = pet_targets(pets, breeds, breed_traits_, picture_traits_);
    const Tensor seen = features_ ? features_->kept(images, options_.threads, options_.features)
                                  : small_pictures(images, options_.side, options_.threads);
    return {pets, mtl::TensorDataset({{"picture", seen}}, targets)};
  }

  Options options_;
  PetData data_;
  std::optional<PetData> test_data_;
  TraitScores breed_traits_, picture_traits_;
  std::optional<mtl::PictureFeatures> features_;
  std::optional<Collection> own_, unseen_;  // of data_ and test_data_, once they are read
};

}  // namespace

std::unique_ptr<Source> open_source(const Options& options) {
  torch::set_num_threads(static_cast<int>(options.threads));
  auto source = options.data == "drawn" ? std::unique_ptr<Source>(new DrawnSource(options))
                                        : std::make_unique<FolderSource>(options);
  source->recipe.breeds = std::ssize(source->breeds);
  if (options.epochs > 0) source->recipe.epochs = options.epochs;
  return source;
}

}  // namespace pets
