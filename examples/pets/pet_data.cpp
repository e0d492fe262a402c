#include "pet_data.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <string>

#include "mtl/core/error.hpp"
#include "mtl/data/table.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/text_encoding.hpp"

namespace pets {
namespace {

namespace fs = std::filesystem;
using mtl::Error;

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool before(const std::string& a, const std::string& b) {
  const std::string x = lower_case(a), y = lower_case(b);
  return x != y ? x < y : a < b;
}

bool is_picture(const fs::path& file) {
  const std::string extension = lower_case(file.extension().string());
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

PetPicture picture(const fs::path& file, OfficialSplit split = OfficialSplit::unknown) {
  PetPicture result{.file = file,
                    .name = file.stem().string(),
                    .breed = {},
                    .split = split,
                    .head = {},
                    .trimap = {}};
  result.breed = breed_of(result.name);
  return result;
}

PetData from_manifest(const fs::path& folder, const fs::path& manifest) {
  const auto table = mtl::Table::read(manifest);
  const auto column = [&](const char* name) {
    return table.has(name) ? table.texts(name)
                           : std::vector<std::string>(static_cast<size_t>(table.rows()));
  };
  const auto files = table.texts("file");
  const auto breeds = column("breed"), splits = column("official_split");
  const std::vector<std::string> box_columns = {"xmin", "ymin", "xmax", "ymax", "orig_w", "orig_h"};
  const bool has_boxes = std::all_of(box_columns.begin(), box_columns.end(),
                                     [&](const auto& name) { return table.has(name); });
  const mtl::Tensor boxes = has_boxes ? table.matrix(box_columns) : mtl::Tensor();
  PetData data;
  for (size_t i = 0; i < files.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    if (files[i].empty()) throw Error("{}, line {}: no file.", manifest.string(), table.line(row));
    const fs::path file = folder / files[i];
    PetPicture pet{.file = file,
                   .name = file.stem().string(),
                   .breed = breeds[i],
                   .split = {},
                   .head = {},
                   .trimap = {}};
    if (pet.breed.empty()) pet.breed = breed_of(pet.name);
    if (splits[i] == "trainval") pet.split = OfficialSplit::trainval;
    if (splits[i] == "test") pet.split = OfficialSplit::test;
    if (has_boxes && !boxes[row].isnan().any().item<bool>()) {
      const auto at = [&](int64_t c) { return boxes[row][c].item<double>(); };
      pet.head = HeadBox{at(0) / at(4), at(1) / at(5), at(2) / at(4), at(3) / at(5)};
    }
    data.pictures.push_back(std::move(pet));
  }
  data.layout = "manifest.csv";
  return data;
}

// The official lists: "Abyssinian_100 1 1 1" (name, class, species, breed within the species); #
// begins a comment.
std::vector<std::string> names_in(const fs::path& list) {
  std::istringstream text(mtl::io::read_text(list));
  std::vector<std::string> names;
  std::string line;
  for (int64_t number = 1; std::getline(text, line); ++number) {
    std::istringstream fields(line);
    std::string name;
    if (!(fields >> name) || name.starts_with('#')) continue;
    int64_t class_number = 0;
    if (!(fields >> class_number)) {
      throw Error("{}, line {}: expected a name and its class number, found \"{}\".", list.string(),
                  number, line);
    }
    names.push_back(name);
  }
  return names;
}

fs::path file_of(const fs::path& images, const std::string& name) {
  for (const char* extension : {".jpg", ".jpeg", ".png"}) {
    if (fs::exists(images / (name + extension))) return images / (name + extension);
  }
  return images / (name + ".jpg");  // not there: the loader will say so by this name
}

std::optional<double> number_in(const std::string& xml, const std::string& tag) {
  const size_t begin = xml.find("<" + tag + ">");
  if (begin == std::string::npos) return {};
  double value = 0;
  const size_t from = begin + tag.size() + 2, end = xml.find('<', from);
  if (end == std::string::npos ||
      !mtl::io::parse_number(std::string_view(xml).substr(from, end - from), value))
    return {};
  return value;
}

// One head a file, in PASCAL VOC's XML; the numbers are all that is needed from it.
std::optional<HeadBox> head_in(const fs::path& file) {
  if (!fs::exists(file)) return {};
  const std::string xml = mtl::io::read_text(file);
  const auto width = number_in(xml, "width"), height = number_in(xml, "height");
  const auto left = number_in(xml, "xmin"), top = number_in(xml, "ymin");
  const auto right = number_in(xml, "xmax"), bottom = number_in(xml, "ymax");
  if (!width || !height || !left || !top || !right || !bottom || *width <= 0 || *height <= 0) {
    throw Error("{}: expected width, height, xmin, ymin, xmax and ymax.", file.string());
  }
  return HeadBox{*left / *width, *top / *height, *right / *width, *bottom / *height};
}

PetData from_lists(const fs::path& folder,
                   const std::vector<std::pair<fs::path, OfficialSplit>>& lists) {
  PetData data;
  for (const auto& [list, split] : lists) {
    for (const std::string& name : names_in(list))
      data.pictures.push_back(picture(file_of(folder / "images", name), split));
  }
  return data;
}

PetData from_annotations(const fs::path& folder) {
  const fs::path notes = folder / "annotations";
  const bool split = fs::exists(notes / "trainval.txt") && fs::exists(notes / "test.txt");
  PetData data = split ? from_lists(folder, {{notes / "trainval.txt", OfficialSplit::trainval},
                                             {notes / "test.txt", OfficialSplit::test}})
                       : from_lists(folder, {{notes / "list.txt", OfficialSplit::unknown}});
  for (PetPicture& pet : data.pictures) pet.head = head_in(notes / "xmls" / (pet.name + ".xml"));
  data.layout = "annotations";
  return data;
}

PetData from_files(const fs::path& folder) {
  PetData data;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && is_picture(entry.path()))
      data.pictures.push_back(picture(entry.path()));
  }
  // The order of a folder is any; that of the data set must not be.
  std::sort(data.pictures.begin(), data.pictures.end(),
            [](const auto& a, const auto& b) { return a.file < b.file; });
  data.layout = "picture files";
  return data;
}

PetData from_any(const fs::path& folder) {
  if (fs::exists(folder / "manifest.csv")) return from_manifest(folder, folder / "manifest.csv");
  if (fs::exists(folder / "annotations" / "trainval.txt") ||
      fs::exists(folder / "annotations" / "list.txt")) {
    return from_annotations(folder);
  }
  if (fs::exists(folder / "list.txt")) {
    PetData data = from_lists(folder, {{folder / "list.txt", OfficialSplit::unknown}});
    data.layout = "list.txt";
    return data;
  }
  if (fs::is_directory(folder / "images")) return from_files(folder / "images");
  if (fs::is_directory(folder)) return from_files(folder);
  throw Error("{}: no such folder.", folder.string());
}

}  // namespace

PetData read_pets(const fs::path& folder) {
  PetData data = from_any(folder);
  if (data.pictures.empty()) {
    throw Error(
        "{}: no pet pictures. Expected manifest.csv, annotations/ as in the official download, "
        "list.txt with images/, or files such as Abyssinian_1.jpg.",
        folder.string());
  }
  for (PetPicture& pet : data.pictures) {
    for (const fs::path& trimaps : {folder / "annotations" / "trimaps", folder / "trimaps"}) {
      if (fs::exists(trimaps / (pet.name + ".png"))) pet.trimap = trimaps / (pet.name + ".png");
    }
    data.breeds.push_back(pet.breed);
  }
  std::sort(data.breeds.begin(), data.breeds.end(), before);
  data.breeds.erase(std::unique(data.breeds.begin(), data.breeds.end()), data.breeds.end());
  return data;
}

std::string breed_of(std::string_view name) {
  const size_t end = name.rfind('_');
  const std::string_view number =
      end == std::string_view::npos ? std::string_view{} : name.substr(end + 1);
  const bool digits = !number.empty() && std::all_of(number.begin(), number.end(),
                                                     [](char c) { return c >= '0' && c <= '9'; });
  if (end == 0 || !digits)
    throw Error("picture \"{}\": expected a breed and a number, as in Abyssinian_12.", name);
  return std::string(name.substr(0, end));
}

std::vector<int64_t> breed_indices(const PetData& data, const std::vector<std::string>& breeds) {
  std::map<std::string, int64_t> place;
  for (const std::string& breed : breeds) place.emplace(breed, static_cast<int64_t>(place.size()));
  std::vector<int64_t> indices;
  for (const PetPicture& pet : data.pictures) {
    const auto found = place.find(pet.breed);
    if (found == place.end())
      throw Error("{}: the breed \"{}\" is not one of the {} known ones.", pet.file.string(),
                  pet.breed, breeds.size());
    indices.push_back(found->second);
  }
  return indices;
}

}  // namespace pets
