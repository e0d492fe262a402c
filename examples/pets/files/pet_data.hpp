#pragma once

#include "mtl/mtl.hpp"

namespace pets {

struct PetPicture {
  std::filesystem::path file = {};
  std::string name = {}, breed = {};  ///< "Abyssinian_12", "Abyssinian"
  bool official_test = false;         ///< the data set's own split gives it to testing
};

struct PetData {
  std::vector<PetPicture> pictures = {};
  std::string layout = {};  ///< "manifest.csv", "annotations", "list.txt" or "picture files"
  /// In alphabetical order whatever the case, which is the order of the official class numbers.
  std::vector<std::string> breeds = {};
};

/// Reads a folder, without opening the pictures. The first of these that is there counts:
/// - manifest.csv: column `file`, and where given `breed` and `official_split` (trainval or test);
/// - annotations/: the official download, with trainval.txt and test.txt (or list.txt);
/// - list.txt in the official format beside images/;
/// - the .jpg, .jpeg and .png files in images/ or in the folder itself.
/// A picture's breed is its file's name without the number: "Abyssinian_12.jpg". Parkhi et al.,
/// CVPR 2012. Error: none of these, a line that does not fit (file and line), no picture.
PetData read_pets(const std::filesystem::path& folder);

/// "american_bulldog" of "american_bulldog_104". Error: no number at the end; `where` says of what.
std::string breed_of(std::string_view name, std::string_view where);

}  // namespace pets
