#include <nlohmann/json.hpp>
#include "catch.hpp"

#include <sys/stat.h>
#include <fstream>
#include <limits>

#include "error_text.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/json.hpp"
#include "temporary_folder.hpp"

namespace fs = std::filesystem;
using namespace mtl;
using namespace std::string_literals;

namespace {
int64_t files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}
}  // namespace

TEST_CASE(
    "write_file_atomically: what is written is read back, zero bytes and emptiness included") {
  const TemporaryFolder folder;
  for (const auto& bytes : {"a\0b\n\xff"s, ""s, std::string(1 << 20, 'x')}) {
    io::write_file_atomically(folder / "天気.bin", bytes);
    CHECK(io::read_file(folder / "天気.bin") == bytes);
  }
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("AtomicFile: without commit the old file stays and no temporary is left") {
  const TemporaryFolder folder;
  io::write_file_atomically(folder / "a", "old");
  {
    io::AtomicFile file(folder / "a");
    file.write("new");
    CHECK(files_in(folder.path()) == 2);
    CHECK(io::read_file(folder / "a") == "old");
  }
  CHECK(files_in(folder.path()) == 1);
  CHECK(io::read_file(folder / "a") == "old");
}

TEST_CASE("AtomicFile: a failed rename keeps the folder as it was") {
  const TemporaryFolder folder;
  {
    io::AtomicFile file(folder / "a");
    file.write("new");
    fs::create_directory(folder / "a");  // somebody else was faster
    std::ofstream(folder / "a/content") << "x";
    CHECK(contains(error_text([&] { file.commit(); }), (folder / "a").string()));
  }
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("AtomicFile: a device or pipe is not replaced by a file") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(contains(error_text([&] { io::write_file_atomically(folder / "pipe", "x"); }),
                 "not a regular file"));
  CHECK(fs::is_fifo(folder / "pipe"));
}

TEST_CASE("AtomicFile: permissions stay, symbolic links are followed") {
  const TemporaryFolder folder;
  io::write_file_atomically(folder / "real", "old");
  fs::permissions(folder / "real", fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("real", folder / "link");
  io::write_file_atomically(folder / "link", "new");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(io::read_file(folder / "real") == "new");
  CHECK(fs::status(folder / "real").permissions() ==
        (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("files: errors name the file and the reason") {
  const TemporaryFolder folder;
  const auto missing = error_text([&] { io::read_file(folder / "none"); });
  CHECK(contains(missing, "none"));
  CHECK(contains(missing, "No such file"));
  CHECK(contains(error_text([&] { io::read_file(folder.path()); }), "Is a directory"));
  CHECK(contains(error_text([&] { io::write_file_atomically(folder.path(), "x"); }),
                 "Is a directory"));
  CHECK(
      contains(error_text([&] { io::write_file_atomically(folder / "no/such", "x"); }), "no/such"));
}

TEST_CASE("JSON: order of keys, exact numbers and Unicode survive a file") {
  const TemporaryFolder folder;
  io::Json value;
  value["z"] = 0.1 + 0.2;
  value["a"] = {1, -2, 9007199254740993};
  value["気温"] = "℃ \"quoted\"\n";
  value["tiny"] = std::numeric_limits<double>::denorm_min();
  value["none"] = std::numeric_limits<double>::quiet_NaN();
  io::write_json(folder / "v.json", value);
  const auto read = io::read_json(folder / "v.json");
  CHECK(read["none"].is_null());
  value["none"] = nullptr;
  CHECK(read == value);
  CHECK(read.begin().key() == "z");
  CHECK(io::read_file(folder / "v.json").back() == '\n');
}

TEST_CASE("JSON: errors name file, line and column") {
  const TemporaryFolder folder;
  io::write_file_atomically(folder / "bad.json", "{\n  \"a\": 1,\n  \"b\": ]\n}");
  const auto text = error_text([&] { io::read_json(folder / "bad.json"); });
  CHECK(contains(text, "bad.json, line 3, column 8: "));
  CHECK(contains(error_text([] { io::parse_json("", "empty"); }), "empty, line 1, column 1"));
  CHECK(contains(error_text([] { io::parse_json("{\"a\": 1} x", "t"); }), "t, line 1, column 10"));
  CHECK(contains(error_text([] { io::parse_json("[1,\n2"); }), "line 2"));
  CHECK(contains(error_text([] { io::parse_json("\"\xff\""); }), "line 1, column 2"));
  CHECK(contains(error_text([] { io::parse_json("1e999", "n"); }), "n"));
  CHECK(contains(error_text([] { io::parse_json(R"({"o": {"k": 1, "k": 2}})"); }),
                 "\"k\" stands twice"));
  CHECK(error_text([] { io::parse_json(R"({"k": {"k": 1}, "l": [{"k": 1}]})"); }).empty());
  CHECK_FALSE(error_text([] { io::json_text(io::Json("\xff")); }).empty());
}

TEST_CASE("CSV: quoting by RFC 4180, numbers that read back exactly") {
  CHECK(io::csv_row({"a", "b,c", "say \"x\"", "two\nlines", "", "気温"}) ==
        "a,\"b,c\",\"say \"\"x\"\"\",\"two\nlines\",,気温\n");
  CHECK(io::csv_row({}) == "\n");
  CHECK(io::csv_number(0.1) == "0.1");
  CHECK(io::csv_number(3) == "3");
  CHECK(io::csv_number(std::numeric_limits<double>::quiet_NaN()).empty());
  for (const double value : {1.0 / 3, -1e-300, 1.7976931348623157e308, 0.1 + 0.2})
    CHECK(std::stod(io::csv_number(value)) == value);
}
