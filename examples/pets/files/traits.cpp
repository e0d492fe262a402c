#include "traits.hpp"

#include <fmt/format.h>

namespace pets {
namespace {

// Of the Oxford-IIIT Pet data set.
constexpr std::string_view official_breeds =
    " Abyssinian Bengal Birman Bombay British_Shorthair Egyptian_Mau Maine_Coon Persian Ragdoll "
    "Russian_Blue Siamese Sphynx american_bulldog american_pit_bull_terrier basset_hound beagle "
    "boxer chihuahua english_cocker_spaniel english_setter german_shorthaired great_pyrenees "
    "havanese japanese_chin keeshond leonberger miniature_pinscher newfoundland pomeranian pug "
    "saint_bernard samoyed scottish_terrier shiba_inu staffordshire_bull_terrier wheaten_terrier "
    "yorkshire_terrier ";

}  // namespace

TraitScores read_traits(const std::filesystem::path& file, const std::string& key,
                        std::span<const std::string> known_breeds) {
  const auto table = mtl::Table::read(file);
  const std::vector<std::string> names = table.texts(key);
  const bool of_breeds = key == "breed";
  TraitScores scores;
  int64_t row = 0;
  for (const std::string& name : names) {
    const auto where = fmt::format("{}, line {}", file.string(), table.line(row++));
    if (of_breeds && official_breeds.find(" " + name + " ") == std::string_view::npos &&
        std::ranges::count(known_breeds, name) == 0)
      throw mtl::Error(
          "{}: the breed \"{}\" is unknown; no picture is of it. Breeds are written as in the "
          "pictures' names",
          where, name);
    if (!scores.try_emplace(name).second)
      throw mtl::Error("{}: \"{}\" has a row already", where, name);
  }
  for (const TraitGroup& group : trait_groups)
    for (const std::string& trait : group.traits) {
      const std::string column = group.name + "_" + trait;
      if (of_breeds && !table.has(column))
        throw mtl::Error(
            "{}: the column \"{}\" is missing. Add it; an empty cell is an unknown score",
            file.string(), column);
      const mtl::Tensor cells = table.has(column)
                                    ? table.numbers(column)
                                    : torch::full({table.rows()}, NAN, torch::kDouble);
      for (row = 0; row < table.rows(); ++row) {
        const auto score = cells[row].item<double>();
        if (score < 0 || score > 1)
          throw mtl::Error("{}: a score lies in [0, 1], found {}", table.where(row, column), score);
        scores[names[static_cast<size_t>(row)]].push_back(score);
      }
    }
  return scores;
}

mtl::NamedTensors pet_targets(std::span<const PetPicture> pictures,
                              const std::vector<std::string>& breeds, const TraitScores& by_breed,
                              const TraitScores& by_picture) {
  std::vector<int64_t> places;
  std::vector<mtl::Tensor> scores;
  for (const PetPicture& pet : pictures) {
    places.push_back(std::ranges::find(breeds, pet.breed) - breeds.begin());
    if (places.back() == std::ssize(breeds))
      throw mtl::Error("{}: the breed \"{}\" is not one of the {} known ones", pet.file.string(),
                       pet.breed, breeds.size());
    scores.push_back(torch::full({4 + 4 + 3}, NAN));
    for (const auto& [table, name] :
         {std::pair(&by_breed, &pet.breed), std::pair(&by_picture, &pet.name)})
      if (const auto found = table->find(*name); found != table->end()) {
        const auto own = torch::tensor(found->second, torch::kFloat);
        scores.back() = torch::where(own.isnan(), scores.back(), own);
      }
  }
  const auto parts = torch::stack(scores).split_with_sizes({4, 4, 3}, 1);
  mtl::NamedTensors targets{{"breed", torch::tensor(places)}};
  for (size_t g = 0; g < trait_groups.size(); ++g)
    targets.insert(trait_groups[g].name, parts[g].contiguous());
  return targets;
}

}  // namespace pets
