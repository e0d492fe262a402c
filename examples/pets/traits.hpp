#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "mtl/core/tensor.hpp"

namespace pets {

/// One auxiliary task: its name and the traits it scores. Its columns in a table are
/// "<name>_<trait>".
struct TraitGroup {
  std::string name;
  std::vector<std::string> traits;
};

/// ear, hair and figure.
const std::array<TraitGroup, 3>& trait_groups();

/// Soft scores in [0, 1] of ear, hair and figure by breed, and for single pictures where a file
/// gives them.
class TraitTable {
 public:
  /// Reads a CSV with a column `breed` and one a trait ("ear_erect", ...); an empty cell is a
  /// missing label. `known_breeds` are the breeds of the pictures; those of the Oxford-IIIT Pet
  /// data set are known besides. Error: a column that is missing, a breed that is unknown or given
  /// twice, a score outside [0, 1], each with file and line.
  static TraitTable read(const std::filesystem::path& file,
                         std::span<const std::string> known_breeds = {});

  /// Reads a CSV with a column `picture` (a name such as "Abyssinian_12") and any of the trait
  /// columns. Where a cell has a score it takes the place of the breed's. Error: as `read`.
  void read_pictures(const std::filesystem::path& file);

  /// The breeds that have a row, in alphabetical order.
  std::vector<std::string> breeds() const;

  /// The scores of one breed, the traits of all groups one after the other; NaN where there is
  /// none.
  const std::vector<double>& of_breed(const std::string& breed) const;

  /// The targets of the auxiliary tasks for pictures given by name and breed: "ear" [N, 4], "hair"
  /// [N, 4], "figure" [N, 3], NaN where no score is known.
  mtl::NamedTensors targets(std::span<const std::string> names,
                            std::span<const std::string> breeds) const;

 private:
  std::map<std::string, std::vector<double>> by_breed_, by_picture_;
};

}  // namespace pets
