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
  const auto where = [&](size_t row) {
    return fmt::format("{}, line {}", file.string(), table.line(static_cast<int64_t>(row)));
  };
  TraitScores scores;
  for (size_t row = 0; row < names.size(); ++row) {
    const std::string& name = names[row];
    if (of_breeds && official_breeds.find(" " + name + " ") == std::string_view::npos &&
        std::ranges::count(known_breeds, name) == 0)
      throw mtl::Error(
          "{}: the breed \"{}\" is unknown; no picture is of it. Breeds are written as in the "
          "pictures' names",
          where(row), name);
    if (!scores.try_emplace(name).second)
      throw mtl::Error("{}: \"{}\" has a row already", where(row), name);
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
      for (size_t row = 0; row < names.size(); ++row) {
        const auto score = cells[static_cast<int64_t>(row)].item<double>();
        if (score < 0 || score > 1)
          throw mtl::Error("{}, column \"{}\": a score lies in [0, 1], found {}", where(row),
                           column, score);
        scores[names[row]].push_back(score);
      }
    }
  return scores;
}

mtl::NamedTensors trait_targets(std::span<const PetPicture> pictures, const TraitScores& by_breed,
                                const TraitScores& by_picture) {
  mtl::Tensor scores = torch::full({std::ssize(pictures), trait_count}, NAN);
  const auto take = [&](int64_t row, const TraitScores& table, const std::string& name) {
    const auto found = table.find(name);
    if (found == table.end()) return;
    const mtl::Tensor own = torch::tensor(found->second, torch::kFloat);
    scores[row].copy_(torch::where(own.isnan(), scores[row], own));
  };
  for (int64_t row = 0; row < scores.size(0); ++row) {
    take(row, by_breed, pictures[static_cast<size_t>(row)].breed);
    take(row, by_picture, pictures[static_cast<size_t>(row)].name);
  }
  mtl::NamedTensors targets;
  int64_t first = 0;
  for (const TraitGroup& group : trait_groups) {
    targets.insert(group.name, scores.narrow(1, first, std::ssize(group.traits)).contiguous());
    first += std::ssize(group.traits);
  }
  return targets;
}

}  // namespace pets
