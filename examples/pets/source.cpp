#include <fmt/format.h>

#include "drawn.hpp"
#include "files/pictures.hpp"
#include "program.hpp"

namespace pets {
namespace {

using mtl::Tensor;

/// A small network from nothing: what runs without the ImageNet encoder.
Recipe cnn_recipe(const std::vector<int64_t>& widths, double learning_rate) {
  Recipe recipe{.epochs = 60, .learning_rate = learning_rate, .dropout = 0.2, .widths = widths};
  recipe.augment = true;
  recipe.folds = 1;
  return recipe;
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
    const auto dataset = [](const DrawnPets& pets) {
      const Tensor pictures = (pets.pictures.to(torch::kFloat) / 255 - 0.45) / 0.25;
      return mtl::TensorDataset({{"picture", pictures}}, pets.targets);
    };
    const DrawnPets test = drawn(test_each, 3);
    const auto name = [names = breeds](int64_t row) {
      return fmt::format("{}_{}", names[static_cast<size_t>(row / test_each)], row % test_each + 1);
    };
    const auto learn = dataset(drawn(each_, 1));
    const auto judge = dataset(drawn(validation_each, 2));
    return {learn.joined(judge),
            dataset(test),
            {torch::arange(judge.size()) + learn.size()},
            name,
            [test](int64_t row) { return test.pictures[row]; }};
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
      (own_->pictures[static_cast<size_t>(row)].official_test ? to_test : to_learn).push_back(row);
    Tensor learn = torch::tensor(to_learn);
    Tensor test = unseen_ ? torch::arange(unseen_->tensors.size()) : torch::tensor(to_test);
    const auto breeds_of = [&](const Tensor& rows) {
      return own_->tensors.targets()["breed"].index_select(0, rows);
    };
    if (test.numel() == 0) {
      auto [kept, taken] = mtl::stratified_split(breeds_of(learn), {0.85, 0.15}, seed);
      test = learn.index_select(0, taken);
      learn = learn.index_select(0, kept);
    }
    std::vector<Tensor> folds = folds_of_neighbours(breeds_of(learn), recipe.folds);
    if (recipe.folds == 1) folds = {mtl::stratified_split(breeds_of(learn), {0.85, 0.15}, seed)[1]};
    const auto picture = [test, pictures = tested.pictures](int64_t row) {
      return pictures[static_cast<size_t>(test[row].item<int64_t>())];
    };
    return {own_->tensors.rows(learn), tested.tensors.rows(test), folds,
            [picture](int64_t row) { return picture(row).name; },
            [picture](int64_t row) {
              return mtl::images::to_tensor(mtl::images::read(picture(row).file).image);
            }};
  }

 private:
  /// Pictures that can be read, and what the model reads of them.
  struct Collection {
    std::vector<PetPicture> pictures;
    mtl::TensorDataset tensors;
  };

  Collection read(const PetData& data) {
    std::vector<std::filesystem::path> files;
    for (const PetPicture& picture : data.pictures) files.push_back(picture.file);
    const auto [images, rows, flaws] = readable(files, options_.threads);
    warnings.insert(warnings.end(), flaws.begin(), flaws.end());
    fmt::print("{} pictures of {} breeds ({}), {} with a flaw\n", images.size(), breeds.size(),
               data.layout, flaws.size());
    std::vector<PetPicture> pictures;
    for (const int64_t row : rows) pictures.push_back(data.pictures[static_cast<size_t>(row)]);
    mtl::NamedTensors targets{{"breed", torch::tensor(breed_indices(pictures, breeds))}};
    targets.update(trait_targets(pictures, breed_traits_, picture_traits_));
    const Tensor seen = features_ ? features_->kept(images, options_.threads, features_folder())
                                  : small_pictures(images, options_.side, options_.threads);
    return {std::move(pictures), mtl::TensorDataset({{"picture", seen}}, targets)};
  }

  std::filesystem::path features_folder() const {
    if (!options_.features.empty()) return options_.features;
    return std::filesystem::path(options_.backbone).parent_path();
  }

  Options options_;
  PetData data_;
  std::optional<PetData> test_data_;
  TraitScores breed_traits_, picture_traits_;
  std::optional<FrozenFeatures> features_;
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
