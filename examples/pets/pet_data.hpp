#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pets {

/// Parts of a picture's width and height, from its left top corner.
struct HeadBox {
  double left = 0, top = 0, right = 1, bottom = 1;
};

enum class OfficialSplit { unknown, trainval, test };

struct PetPicture {
  std::filesystem::path file;
  std::string name;   ///< "Abyssinian_12"
  std::string breed;  ///< "Abyssinian"
  OfficialSplit split = OfficialSplit::unknown;
  std::optional<HeadBox> head;
  std::filesystem::path trimap;  ///< empty where there is none
};

struct PetData {
  std::vector<PetPicture> pictures;
  /// In alphabetical order whatever the case, which is the order of the official class numbers.
  std::vector<std::string> breeds;
  std::string layout;  ///< "manifest.csv", "annotations", "list.txt" or "picture files"
};

/// Reads a folder of pet pictures, without opening the pictures. The first of these that is there
/// counts:
/// - manifest.csv: column `file`, and where given `breed`, `official_split` (trainval or test), the
///   head's box xmin, ymin, xmax, ymax in a picture of orig_w x orig_h pixels;
/// - annotations/: the official download, with trainval.txt and test.txt (or list.txt), trimaps/,
///   xmls/;
/// - list.txt in the official format beside images/;
/// - the .jpg, .jpeg and .png files in images/ or in the folder itself.
/// A picture's breed is its file's name without the number: "Abyssinian_12.jpg". Parkhi et al.,
/// CVPR 2012. Error: none of these, a line that does not fit (file and line), no picture.
PetData read_pets(const std::filesystem::path& folder);

/// "american_pit_bull_terrier" of "american_pit_bull_terrier_104". Error: no number at the end.
std::string breed_of(std::string_view name);

/// The place of each picture's breed in `breeds`, which may be another set's: what a model was
/// trained with. Error: a breed that is not there, by name.
std::vector<int64_t> breed_indices(const PetData& data, const std::vector<std::string>& breeds);

}  // namespace pets
