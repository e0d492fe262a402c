#include <torch/torch.h>

#include <memory>

#include "drawn.hpp"
#include "mtl/core/error.hpp"
#include "mtl/core/random.hpp"
#include "mtl/data/splits/splits.hpp"
#include "pet_data.hpp"
#include "pictures.hpp"
#include "program.hpp"

namespace pets {
namespace {

using mtl::Tensor;
using Say = std::function<void(const std::string&)>;

/// A small network from nothing: what runs without the ImageNet encoder.
Recipe cnn_recipe(std::vector<int64_t> widths, int64_t epochs, double learning_rate) {
  Recipe recipe;
  recipe.widths = std::move(widths);
  recipe.epochs = epochs;
  recipe.learning_rate = learning_rate;
  recipe.dropout = 0.2;
  recipe.augment = true;
  recipe.refit = false;
  return recipe;
}

PetTensors drawn_part(const TraitTable& traits, const std::vector<std::string>& breeds,
                      int64_t each, int64_t side, uint64_t seed, Tensor* shown = nullptr) {
  DrawnPets pets = draw_pets(traits, breeds, each, side, seed);
  if (shown) *shown = pets.pictures;
  return {(pets.pictures.to(torch::kFloat) / 255 - 0.45) / 0.25, pets.breeds, pets.traits};
}

Source drawn_source(const Options& options) {
  auto traits = std::make_shared<TraitTable>(TraitTable::read(options.traits));
  Source source;
  source.breeds = traits->breeds();
  source.description = fmt::format("drawn faces of {} breeds, {} a breed to learn from",
                                   source.breeds.size(), options.each);
  source.recipe = cnn_recipe({16, 32, 64, 128}, 60, 3e-3);
  source.sample = [=, breeds = source.breeds](uint64_t seed) {
    constexpr int64_t side = 48, validation_each = 4, test_each = 12;
    auto shown = std::make_shared<Tensor>();
    const auto part = [&](int64_t each, uint64_t number, Tensor* pictures = nullptr) {
      return drawn_part(*traits, breeds, each, side, mtl::mix_seed(seed, number), pictures);
    };
    return Sample{
        {part(options.each, 1), part(validation_each, 2), part(test_each, 3, shown.get())},
        [shown](int64_t row) { return (*shown)[row]; },
        [=](int64_t row) {
          return fmt::format("{}_{}", breeds[static_cast<size_t>(row / test_each)],
                             row % test_each + 1);
        }};
  };
  return source;
}

/// Pictures with their tensors, so that every seed only has to choose rows.
struct Collection {
  std::vector<PetPicture> pictures;
  PetTensors tensors;
};

class Reader {
 public:
  Reader(const Options& options, Say say) : options_(options), say_(std::move(say)) {
    if (!options.backbone.empty()) features_ = std::make_unique<FrozenFeatures>(options.backbone);
  }

  Collection read(const PetData& data, const std::vector<std::string>& breeds,
                  const TraitTable& traits, std::vector<std::string>& warnings) const {
    auto [pictures, flaws] = readable(data.pictures, options_.threads);
    warnings.insert(warnings.end(), flaws.begin(), flaws.end());
    say_(fmt::format("{} pictures of {} breeds ({}), {} with a flaw", pictures.size(),
                     breeds.size(), data.layout, flaws.size()));
    PetData kept = data;
    kept.pictures = pictures;
    std::vector<std::string> names, breed_names;
    for (const PetPicture& picture : pictures) {
      names.push_back(picture.name);
      breed_names.push_back(picture.breed);
    }
    return {pictures,
            {features_ ? features_->of(pictures, options_.threads)
                       : small_pictures(pictures, options_.side, options_.threads),
             torch::tensor(breed_indices(kept, breeds)), traits.targets(names, breed_names)}};
  }

 private:
  Options options_;
  Say say_;
  std::unique_ptr<FrozenFeatures> features_;
};

/// Rows that the data set's own split gives to testing, and the others.
std::pair<Tensor, Tensor> official_rows(const std::vector<PetPicture>& pictures) {
  std::vector<int64_t> train, test;
  for (size_t i = 0; i < pictures.size(); ++i)
    (pictures[i].split == OfficialSplit::test ? test : train).push_back(static_cast<int64_t>(i));
  return {torch::tensor(train, torch::kLong), torch::tensor(test, torch::kLong)};
}

Source folder_source(const Options& options, const Say& say) {
  const PetData data = read_pets(options.data);
  Source source;
  source.breeds = data.breeds;
  source.description = options.data;
  source.recipe = options.backbone.empty() ? cnn_recipe({32, 64, 128, 256}, 60, 2e-3) : Recipe{};

  TraitTable traits = TraitTable::read(options.traits, data.breeds);
  if (!options.picture_traits.empty()) traits.read_pictures(options.picture_traits);
  for (const std::string& breed : data.breeds)
    if (std::isnan(traits.of_breed(breed).front()))
      source.warnings.push_back("No trait scores for " + breed +
                                ": its pictures teach the breed only.");

  const Reader reader(options, say);
  auto all = std::make_shared<Collection>(reader.read(data, data.breeds, traits, source.warnings));
  auto unseen = all;
  auto [learn_rows, test_rows] = official_rows(all->pictures);
  if (!options.test.empty()) {
    unseen = std::make_shared<Collection>(
        reader.read(read_pets(options.test), data.breeds, traits, source.warnings));
    test_rows = torch::arange(unseen->tensors.size());
  }
  source.sample = [=, learn = learn_rows, fixed_test = test_rows](uint64_t seed) {
    const auto breeds = all->tensors.breeds.index_select(0, learn);
    Tensor train, validation, test = fixed_test;
    if (test.numel() > 0) {
      const auto parts = mtl::stratified_split(breeds, {0.85, 0.15}, seed);
      train = learn.index_select(0, parts[0]), validation = learn.index_select(0, parts[1]);
    } else {
      const auto parts = mtl::stratified_split(breeds, {0.7, 0.15, 0.15}, seed);
      train = learn.index_select(0, parts[0]), validation = learn.index_select(0, parts[1]);
      test = learn.index_select(0, parts[2]);
    }
    const auto picture = [unseen, test](int64_t row) -> const PetPicture& {
      return unseen->pictures[static_cast<size_t>(test[row].item<int64_t>())];
    };
    return Sample{
        {all->tensors.rows(train), all->tensors.rows(validation), unseen->tensors.rows(test)},
        [picture](int64_t row) { return picture_of(picture(row).file); },
        [picture](int64_t row) { return picture(row).name; }};
  };
  return source;
}

}  // namespace

Source open_source(const Options& options, const Say& say) {
  Source source = options.data == "drawn" ? drawn_source(options) : folder_source(options, say);
  source.recipe.breeds = static_cast<int64_t>(source.breeds.size());
  if (options.epochs > 0) source.recipe.epochs = options.epochs;
  return source;
}

}  // namespace pets
