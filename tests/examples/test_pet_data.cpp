#include "pets/files/traits.hpp"

#include <fstream>

#include "catch.hpp"
#include "error_text.hpp"
#include "temporary_folder.hpp"

using namespace pets;

namespace {

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("pets: a breed is a file's name without its number") {
  CHECK(breed_of("Abyssinian_12", "") == "Abyssinian");
  CHECK(breed_of("american_pit_bull_terrier_104", "") == "american_pit_bull_terrier");
  for (const char* name : {"Abyssinian", "Abyssinian_", "_12", "pug_12a", "12"}) {
    const auto text = error_text([&] { breed_of(name, "list.txt, line 3"); });
    CHECK(contains(text, "list.txt, line 3: picture \"" + std::string(name) + "\""));
    CHECK(contains(text, "expected a breed and a number"));
  }
}

TEST_CASE("pets: a picture without a breed is named with its file or line") {
  TemporaryFolder folder;
  const auto error = [&] { return error_text([&] { read_pets(folder.path()); }); };
  write(folder / "images/cat.jpg", "");
  CHECK(contains(error(), "images/cat.jpg: picture \"cat\""));
  write(folder / "list.txt", "# breeds\npug_2 27 2 20\ncat 1 1 1\n");
  CHECK(contains(error(), "list.txt, line 3: picture \"cat\""));
  write(folder / "manifest.csv", "file\npug_1.jpg\ncat.jpg\n");
  CHECK(contains(error(), "manifest.csv, line 3: picture \"cat\""));
  write(folder / "manifest.csv", "file,breed\npug_1.jpg,\n,pug\n");
  CHECK(contains(error(), "manifest.csv, line 3: no file"));
}

TEST_CASE("pets: the official layout") {
  TemporaryFolder folder;
  write(folder / "annotations/trainval.txt",
        "#Image CLASS-ID SPECIES BREED ID\nbeagle_1 5 2 4\r\nAbyssinian_2 1 1 1\n");
  write(folder / "annotations/test.txt", "pug_3 27 2 20\n");
  write(folder / "images/beagle_1.jpg", "");
  write(folder / "images/pug_3.png", "");
  const PetData data = read_pets(folder.path());
  CHECK(data.layout == "annotations");
  CHECK(data.breeds == std::vector<std::string>{"Abyssinian", "beagle", "pug"});
  REQUIRE(data.pictures.size() == 3);
  CHECK(data.pictures[0].file == folder / "images/beagle_1.jpg");
  CHECK_FALSE(data.pictures[0].official_test);
  CHECK(data.pictures[1].file ==
        folder / "images/Abyssinian_2.jpg");  // not there; the loader will say so
  CHECK(data.pictures[2].file == folder / "images/pug_3.png");
  CHECK(data.pictures[2].official_test);
  CHECK(pet_targets(data.pictures, data.breeds, {})["breed"].equal(torch::tensor({1L, 0L, 2L})));
  const auto unknown = error_text([&] { pet_targets(data.pictures, {"beagle", "pug"}, {}); });
  CHECK(contains(unknown, "\"Abyssinian\" is not one of the 2"));
  CHECK(contains(unknown, "Abyssinian_2.jpg"));

  write(folder / "annotations/test.txt", "pug_3 27 2 20\npug_4\n");
  CHECK(contains(error_text([&] { read_pets(folder.path()); }), "test.txt, line 2"));
}

TEST_CASE("pets: a manifest") {
  TemporaryFolder folder;
  write(folder / "manifest.csv",
        "file,breed,official_split,orig_w,orig_h,xmin,ymin,xmax,ymax\n"
        "images/one.jpg,Birman,test,600,400,333,72,425,158\nBombay_7.png,,,100,100,,,,\n");
  const PetData data = read_pets(folder.path());
  CHECK(data.layout == "manifest.csv");
  REQUIRE(data.pictures.size() == 2);
  CHECK(data.pictures[0].file == folder / "images/one.jpg");
  CHECK(data.pictures[0].breed == "Birman");
  CHECK(data.pictures[0].official_test);
  CHECK(data.pictures[1].breed == "Bombay");
  CHECK_FALSE(data.pictures[1].official_test);
}

TEST_CASE("pets: a list, or only files") {
  TemporaryFolder folder;
  write(folder / "images/pug_2.jpg", "");
  write(folder / "images/Birman_1.PNG", "");
  write(folder / "images/notes.txt", "");
  CHECK(read_pets(folder.path()).layout == "picture files");
  CHECK(read_pets(folder / "images").pictures.size() == 2);
  CHECK(read_pets(folder.path()).pictures[0].name == "Birman_1");  // in order of names
  write(folder / "list.txt", "pug_2 27 2 20\n");
  CHECK(read_pets(folder.path()).layout == "list.txt");
  CHECK(read_pets(folder.path()).breeds == std::vector<std::string>{"pug"});
  write(folder / "list.txt", "# nothing\n");
  CHECK(contains(error_text([&] { read_pets(folder.path()); }), "no pet pictures"));
  CHECK(contains(error_text([&] { read_pets(folder / "nowhere"); }), "no such folder"));
}

TEST_CASE("pets: the 1,262 real pictures") {
  const auto folder = std::filesystem::path(MTL_SOURCE_DIR) / "../shared/data/pets128";
  if (!std::filesystem::exists(folder)) {
    WARN("skipped: " << folder << " is not there");
    return;
  }
  const PetData data = read_pets(folder);
  CHECK(data.pictures.size() == 1262);
  CHECK(data.breeds.size() == 37);
  CHECK(data.breeds[5] == "Bengal");  // official class 6
  for (const auto& pet : data.pictures) REQUIRE(std::filesystem::exists(pet.file));
}
