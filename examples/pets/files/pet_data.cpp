#include "pet_data.hpp"

#include <fmt/format.h>

#include <sstream>

namespace pets {
namespace {

namespace fs = std::filesystem;
using mtl::Error;
using Pictures = std::vector<PetPicture>;

const std::vector<std::string> extensions = {".jpg", ".jpeg", ".png"};

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

Pictures from_manifest(const fs::path& manifest) {
  const auto table = mtl::Table::read(manifest);
  const auto texts = [&](const char* column) {
    return table.has(column) ? table.texts(column)
                             : std::vector<std::string>(static_cast<size_t>(table.rows()));
  };
  const auto files = table.texts("file"), breeds = texts("breed"), splits = texts("official_split");
  Pictures pictures;
  for (size_t i = 0; i < files.size(); ++i) {
    const auto where =
        fmt::format("{}, line {}", manifest.string(), table.line(static_cast<int64_t>(i)));
    if (files[i].empty()) throw Error("{}: no file", where);
    const fs::path file = manifest.parent_path() / files[i];
    const auto name = file.stem().string();
    pictures.push_back(
        {file, name, breeds[i].empty() ? breed_of(name, where) : breeds[i], splits[i] == "test"});
  }
  return pictures;
}

/// One that is not there is called .jpg: the loader will say that it is missing.
fs::path file_of(const fs::path& images, const std::string& name) {
  for (const std::string& extension : extensions)
    if (fs::exists(images / (name + extension))) return images / (name + extension);
  return images / (name + extensions.front());
}

/// The official lists: "Abyssinian_100 1 1 1" (name, class, species, breed within the species); #
/// begins a comment.
Pictures from_list(const fs::path& list, const fs::path& images) {
  Pictures pictures;
  std::istringstream text(mtl::io::read_text(list));
  std::string line;
  for (int64_t number = 1; std::getline(text, line); ++number) {
    std::istringstream fields(line);
    std::string name;
    int64_t class_number = 0;
    if (!(fields >> name) || name.starts_with('#')) continue;
    const auto where = fmt::format("{}, line {}", list.string(), number);
    if (!(fields >> class_number))
      throw Error("{}: expected a name and its class number, found \"{}\"", where, line);
    pictures.push_back(
        {file_of(images, name), name, breed_of(name, where), list.filename() == "test.txt"});
  }
  return pictures;
}

Pictures from_files(const fs::path& images) {
  Pictures pictures;
  for (const auto& entry : fs::directory_iterator(images)) {
    const fs::path& file = entry.path();
    const auto name = file.stem().string(), extension = lower_case(file.extension().string());
    if (entry.is_regular_file() && std::ranges::count(extensions, extension) > 0)
      pictures.push_back({file, name, breed_of(name, file.string())});
  }
  // The order of a folder is any; that of the data set must not be.
  std::ranges::sort(pictures, {}, &PetPicture::file);
  return pictures;
}

PetData from_any(const fs::path& folder) {
  const fs::path images = folder / "images", notes = folder / "annotations";
  const auto has = [&](const char* name) { return fs::exists(folder / name); };
  if (!fs::is_directory(folder)) throw Error("{}: no such folder", folder.string());
  if (has("manifest.csv")) return {from_manifest(folder / "manifest.csv"), "manifest.csv"};
  if (has("annotations/trainval.txt") && has("annotations/test.txt")) {
    PetData data{from_list(notes / "trainval.txt", images), "annotations"};
    std::ranges::copy(from_list(notes / "test.txt", images), std::back_inserter(data.pictures));
    return data;
  }
  if (has("annotations/trainval.txt") || has("annotations/list.txt"))
    return {from_list(notes / "list.txt", images), "annotations"};
  if (has("list.txt")) return {from_list(folder / "list.txt", images), "list.txt"};
  return {from_files(fs::is_directory(images) ? images : folder), "picture files"};
}

}  // namespace

PetData read_pets(const fs::path& folder) {
  PetData data = from_any(folder);
  if (data.pictures.empty())
    throw Error(
        "{}: no pet pictures. Expected manifest.csv, annotations/ as in the official download, "
        "list.txt with images/, or files such as Abyssinian_1.jpg",
        folder.string());
  for (const PetPicture& pet : data.pictures) data.breeds.push_back(pet.breed);
  std::ranges::sort(data.breeds, {},
                    [](const auto& breed) { return std::pair(lower_case(breed), breed); });
  data.breeds.erase(std::unique(data.breeds.begin(), data.breeds.end()), data.breeds.end());
  return data;
}

std::string breed_of(std::string_view name, std::string_view where) {
  const size_t end = name.find_last_not_of("0123456789");
  if (end == name.npos || end == 0 || end + 1 == name.size() || name[end] != '_')
    throw Error("{}: picture \"{}\": expected a breed and a number, as in Abyssinian_12", where,
                name);
  return std::string(name.substr(0, end));
}

}  // namespace pets
