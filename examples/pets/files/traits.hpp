#pragma once

#include <map>

#include "pet_data.hpp"

namespace pets {

/// An auxiliary task and the traits it scores; a table's columns are "<name>_<trait>".
struct TraitGroup {
  std::string name;
  std::vector<std::string> traits;
};
inline const std::array<TraitGroup, 3> trait_groups = {
    TraitGroup{"ear", {"erect", "semi_erect", "cropped", "drop"}},
    TraitGroup{"hair", {"curly", "hairless", "short", "fluffy"}},
    TraitGroup{"figure", {"stout", "normal", "slim"}}};

/// Soft scores in [0, 1], those of all groups one after the other, by the name of a breed or of a
/// picture. NaN: unknown.
using TraitScores = std::map<std::string, std::vector<double>>;

/// Reads a CSV with a column `key` and one a trait; an empty cell is unknown. A key `breed` needs
/// all traits, and breeds of the Oxford-IIIT Pet data set or among `known_breeds`. A key `picture`
/// ("Abyssinian_12") goes with any of the traits. Error: a column that is missing, a breed that is
/// unknown, a key given twice, a score outside [0, 1], each with file and line.
TraitScores read_traits(const std::filesystem::path& file, const std::string& key,
                        std::span<const std::string> known_breeds = {});

/// The targets "breed" [N], its place in `breeds`, and "ear" [N, 4], "hair" [N, 4] and "figure"
/// [N, 3], NaN where no score is known. A picture's own score comes before that of its breed.
/// Error: a breed is not there, with the picture's file.
mtl::NamedTensors pet_targets(std::span<const PetPicture> pictures,
                              const std::vector<std::string>& breeds, const TraitScores& by_breed,
                              const TraitScores& by_picture = {});

}  // namespace pets
