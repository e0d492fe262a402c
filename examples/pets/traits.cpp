#include "traits.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "mtl/core/error.hpp"
#include "mtl/data/table.hpp"

namespace pets {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

const std::set<std::string>& official_breeds() {
  static const std::set<std::string> breeds = {"Abyssinian",
                                               "Bengal",
                                               "Birman",
                                               "Bombay",
                                               "British_Shorthair",
                                               "Egyptian_Mau",
                                               "Maine_Coon",
                                               "Persian",
                                               "Ragdoll",
                                               "Russian_Blue",
                                               "Siamese",
                                               "Sphynx",
                                               "american_bulldog",
                                               "american_pit_bull_terrier",
                                               "basset_hound",
                                               "beagle",
                                               "boxer",
                                               "chihuahua",
                                               "english_cocker_spaniel",
                                               "english_setter",
                                               "german_shorthaired",
                                               "great_pyrenees",
                                               "havanese",
                                               "japanese_chin",
                                               "keeshond",
                                               "leonberger",
                                               "miniature_pinscher",
                                               "newfoundland",
                                               "pomeranian",
                                               "pug",
                                               "saint_bernard",
                                               "samoyed",
                                               "scottish_terrier",
                                               "shiba_inu",
                                               "staffordshire_bull_terrier",
                                               "wheaten_terrier",
                                               "yorkshire_terrier"};
  return breeds;
}

std::vector<std::string> trait_columns() {
  std::vector<std::string> columns;
  for (const TraitGroup& group : trait_groups())
    for (const std::string& trait : group.traits) columns.push_back(group.name + "_" + trait);
  return columns;
}

/// One row of scores a key; a column that the file may lack and lacks stays unknown.
std::map<std::string, std::vector<double>> read_scores(const std::filesystem::path& file,
                                                       const std::string& key, bool all_columns) {
  const auto table = mtl::Table::read(file);
  if (!table.has(key)) throw mtl::Error("{}: there is no column \"{}\".", file.string(), key);
  const auto columns = trait_columns();
  std::vector<mtl::Tensor> scores;
  for (const std::string& column : columns) {
    const bool there = table.has(column);
    if (!there && all_columns)
      throw mtl::Error(
          "{}: the column \"{}\" is missing. Add it; an empty cell is an unknown score.",
          file.string(), column);
    scores.push_back(there ? table.numbers(column)
                           : torch::full({table.rows()}, unknown, torch::kDouble));
  }
  std::map<std::string, std::vector<double>> result;
  const auto keys = table.texts(key);
  for (int64_t row = 0; row < table.rows(); ++row) {
    const std::string& name = keys[static_cast<size_t>(row)];
    if (name.empty()) throw mtl::Error("{}, line {}: no {}.", file.string(), table.line(row), key);
    std::vector<double> values;
    for (size_t c = 0; c < columns.size(); ++c) {
      values.push_back(scores[c][row].item<double>());
      if (values.back() < 0 || values.back() > 1)
        throw mtl::Error("{}, line {}, column \"{}\": a score lies in [0, 1], found {}.",
                         file.string(), table.line(row), columns[c], values.back());
    }
    if (!result.emplace(name, std::move(values)).second)
      throw mtl::Error("{}, line {}: \"{}\" has a row already.", file.string(), table.line(row),
                       name);
  }
  return result;
}

}  // namespace

const std::array<TraitGroup, 3>& trait_groups() {
  static const std::array<TraitGroup, 3> groups = {
      TraitGroup{"ear", {"erect", "semi_erect", "cropped", "drop"}},
      TraitGroup{"hair", {"curly", "hairless", "short", "fluffy"}},
      TraitGroup{"figure", {"stout", "normal", "slim"}}};
  return groups;
}

TraitTable TraitTable::read(const std::filesystem::path& file,
                            std::span<const std::string> known_breeds) {
  TraitTable table;
  table.by_breed_ = read_scores(file, "breed", true);
  for (const auto& [breed, scores] : table.by_breed_) {
    if (!official_breeds().contains(breed) &&
        std::find(known_breeds.begin(), known_breeds.end(), breed) == known_breeds.end())
      throw mtl::Error(
          "{}: the breed \"{}\" is unknown; no picture is of it. Breeds are written as "
          "in the pictures' names.",
          file.string(), breed);
  }
  return table;
}

void TraitTable::read_pictures(const std::filesystem::path& file) {
  by_picture_ = read_scores(file, "picture", false);
}

std::vector<std::string> TraitTable::breeds() const {
  std::vector<std::string> names;
  for (const auto& [breed, scores] : by_breed_) names.push_back(breed);
  return names;
}

const std::vector<double>& TraitTable::of_breed(const std::string& breed) const {
  static const std::vector<double> none(trait_columns().size(), unknown);
  const auto found = by_breed_.find(breed);
  return found == by_breed_.end() ? none : found->second;
}

mtl::NamedTensors TraitTable::targets(std::span<const std::string> names,
                                      std::span<const std::string> breeds) const {
  const auto traits = static_cast<int64_t>(trait_columns().size());
  const mtl::Tensor scores = torch::empty({static_cast<int64_t>(names.size()), traits});
  auto cells = scores.accessor<float, 2>();
  for (size_t i = 0; i < names.size(); ++i) {
    const auto& breed = of_breed(breeds[i]);
    const auto picture = by_picture_.find(names[i]);
    for (size_t t = 0; t < breed.size(); ++t) {
      const bool own = picture != by_picture_.end() && !std::isnan(picture->second[t]);
      cells[static_cast<int64_t>(i)][static_cast<int64_t>(t)] =
          static_cast<float>(own ? picture->second[t] : breed[t]);
    }
  }
  mtl::NamedTensors targets;
  int64_t first = 0;
  for (const TraitGroup& group : trait_groups()) {
    const auto count = static_cast<int64_t>(group.traits.size());
    targets.insert(group.name, scores.narrow(1, first, count).contiguous());
    first += count;
  }
  return targets;
}

}  // namespace pets
