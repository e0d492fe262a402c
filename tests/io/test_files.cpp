#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include "catch.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <fstream>
#include <limits>

#include "error_text.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/digest.hpp"
#include "mtl/io/excerpt.hpp"
#include "mtl/io/file.hpp"
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

TEST_CASE(
    "AtomicFile: a process that was killed leaves a temporary, and the next writer removes it") {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    io::AtomicFile file(folder / "model");
    file.write("half");
    ::raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(fs::exists(folder / "model.mtl-0.tmp"));
  SECTION("the next writer of the file") {
    io::write_file_atomically(folder / "model", "whole");
    CHECK(io::read_file(folder / "model") == "whole");
    CHECK(files_in(folder.path()) == 1);
  }
  SECTION("whoever cleans the folder: nothing of others, nothing at work") {
    std::ofstream(folder / "mine.tmp") << "x";
    std::ofstream(folder / "mine.mtl-.tmp") << "x";
    io::AtomicFile at_work(folder / "other");
    at_work.write("new");
    CHECK(io::remove_stale_temporaries(folder.path()) == 1);
    CHECK_FALSE(fs::exists(folder / "model.mtl-0.tmp"));
    at_work.commit();
    CHECK(io::read_file(folder / "other") == "new");
    CHECK(files_in(folder.path()) == 3);
    CHECK(io::remove_stale_temporaries(folder / "none") == 0);
  }
}

TEST_CASE("AtomicFile: two writers of one file, the last to commit wins") {
  const TemporaryFolder folder;
  io::AtomicFile first(folder / "a"), second(folder / "a");
  first.write("first");
  second.write("second");
  second.commit();
  first.commit();
  CHECK(io::read_file(folder / "a") == "first");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("AtomicFile: a write that fails leaves nothing behind") {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto text =
        error_text([&] { io::write_file_atomically(folder / "big", std::string(5000, 'x')); });
    ::_exit(contains(text, "big\": File too large") ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(files_in(folder.path()) == 0);
}

TEST_CASE(
    "AtomicFile: bytes are rewritten in place; the longest name works, a longer one is an error") {
  const TemporaryFolder folder;
  const auto longest = folder / std::string(255, 'x');
  io::AtomicFile file(longest);
  file.write("0123456789");
  file.rewrite(2, "ab");
  file.write("!");
  file.commit();
  CHECK(io::read_file(longest) == "01ab456789!");
  const auto longer = folder / std::string(256, 'x');
  CHECK(contains(error_text([&] { io::write_file_atomically(longer, ""); }), "File name too long"));
  CHECK(contains(error_text([&] { io::read_file(longer); }), "File name too long"));
}

TEST_CASE("files: errors name the file and the reason") {
  const TemporaryFolder folder;
  const auto missing = error_text([&] { io::read_file(folder / "none"); });
  CHECK(contains(missing, "none"));
  CHECK(contains(missing, "No such file"));
  CHECK(contains(error_text([&] { io::read_file(folder.path()); }), "Is a directory"));
  CHECK(contains(error_text([&] { io::read_file("/dev/zero"); }), "neither a regular file nor"));
  CHECK(contains(error_text([&] { io::write_file_atomically(folder.path(), "x"); }),
                 "Is a directory"));
  CHECK(
      contains(error_text([&] { io::write_file_atomically(folder / "no/such", "x"); }), "no/such"));
  io::write_file_atomically(folder / "file", "");
  CHECK(contains(error_text([&] { io::make_folder(folder / "file/below"); }), "file/below"));
  CHECK(contains(error_text([&] { io::make_folder_of(folder / std::string(300, 'x') / "f"); }),
                 "File name too long"));
  io::make_folder_of(folder / "a/b/c");
  io::make_folder(folder / "a/b/");
  io::make_folder_of("here");
  CHECK(fs::is_directory(folder / "a/b"));
}

TEST_CASE("read_file: a pipe is read to its end") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  const std::string content(200'000, 'p');
  const pid_t child = ::fork();
  if (child == 0) {
    const int out = ::open((folder / "pipe").c_str(), O_WRONLY);
    size_t done = 0;
    while (done < content.size())
      done += static_cast<size_t>(::write(out, content.data() + done, content.size() - done));
    ::_exit(0);
  }
  CHECK(io::read_file(folder / "pipe") == content);
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("read_file: no more than is asked for, from a file or a pipe") {
  const TemporaryFolder folder;
  io::write_file_atomically(folder / "file", "12345");
  CHECK(io::read_file(folder / "file", 5) == "12345");
  CHECK(contains(error_text([&] { io::read_file(folder / "file", 4); }),
                 "file\": it has 5 bytes, expected at most 4"));
  fs::resize_file(folder / "file", 200'000'000'000);  // of holes, which take no room on the disk
  CHECK(contains(error_text([&] { io::read_json(folder / "file"); }),
                 "it has 200000000000 bytes, expected at most 67108864"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const int out = ::open((folder / "pipe").c_str(), O_WRONLY);
    const std::string bytes(1 << 16, 'p');
    while (::write(out, bytes.data(), bytes.size()) > 0) {  // without an end
    }
    ::_exit(0);
  }
  CHECK(contains(error_text([&] { io::read_file(folder / "pipe", 300'000); }),
                 "bytes or more, expected at most 300000"));
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("InputFile: a pipe that nobody writes is not waited for where a file is wanted") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(contains(error_text([&] { io::InputFile(folder / "pipe", io::Pipes::refused); }),
                 "pipe\": it is a pipe, expected a regular file"));
}

TEST_CASE("file_within: names of files in the folder, and nothing that leads out of it") {
  const TemporaryFolder folder, outside;
  const auto fault = [&](const std::string& name) {
    return error_text([&] { io::file_within(folder.path(), name); });
  };
  for (const std::string name : {"", ".", "..", "../x", "/etc/passwd", "a/b", "a\\b", "a..b"}) {
    INFO(name);
    CHECK(contains(fault(name), "is no name of a file in its folder"));
  }
  CHECK(contains(fault(std::string("a\0b", 3)), "is no name of a file in its folder"));
  io::write_file_atomically(folder / "file", "");
  io::write_file_atomically(outside / "file", "");
  fs::create_symlink("file", folder / "link");
  fs::create_symlink(outside / "file", folder / "out");
  fs::create_symlink(outside.path(), folder / "folder out");
  fs::create_symlink("itself", folder / "itself");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(io::file_within(folder.path(), "file") == folder / "file");
  CHECK(io::file_within(folder.path(), "link") == folder / "link");
  CHECK(io::file_within(folder.path(), "not there") == folder / "not there");
  CHECK(io::file_within(folder.path(), "itself") == folder / "itself");
  CHECK(contains(fault("out"), "\"out\" is a link that leads out of its folder"));
  CHECK(contains(fault("folder out"), "is a link that leads out of its folder"));
  CHECK(contains(fault("pipe"), "\"pipe\" is no regular file"));
}

TEST_CASE("Digest: XXH64's own values, in one piece or in many") {
  const auto of = [](std::string_view bytes) {
    io::Digest digest;
    digest.update(bytes);
    return digest.text();
  };
  CHECK(of("") == "ef46db3751d8e999");
  CHECK(of("a") == "d24ec4f1a98c6e5b");
  CHECK(of("abc") == "44bc2cf5ad770999");
  CHECK(of("Nobody inspects the spammish repetition") == "fbcea83c8a378bf1");
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += static_cast<char>(i * 7);
  for (const size_t piece : {1, 3, 31, 32, 33, 100}) {
    io::Digest digest;
    for (size_t at = 0; at < bytes.size(); at += piece)
      digest.update(std::string_view(bytes).substr(at, piece));
    CHECK(digest.text() == of(bytes));
  }
}

TEST_CASE("excerpt: short texts whole, no character cut in two") {
  CHECK(io::excerpt("abc", 3) == "abc");
  CHECK(io::excerpt("abcd", 3) == "abc...");
  CHECK(io::excerpt("気温", 4) == "気...");
  CHECK(io::excerpt("\xff\xff\xff", 2) == "\xff\xff...");
  CHECK(io::excerpt(std::string_view("a\0b", 3)) == "a?b");
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

TEST_CASE("JSON: an integer is an integer") {
  const auto integer = [](const char* text) {
    return io::json_integer(io::parse_json(text), "the step");
  };
  CHECK(integer("9223372036854775807") == INT64_MAX);
  CHECK(integer("-9223372036854775808") == INT64_MIN);
  for (const char* other : {"1e300", "1.0", "9223372036854775808", "\"1\"", "null", "[1]"})
    CHECK(contains(error_text([&] { integer(other); }), "the step is "));
}

TEST_CASE("JSON: depth and size of a text decide what it costs") {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(error_text([&] { io::parse_json(nested(200)); }).empty());
  const auto text = error_text([&] { io::parse_json("\n " + nested(201), "deep"); });
  CHECK(contains(text, "deep, line 2, column 202: arrays and objects stand more than 200 deep"));
  CHECK(contains(error_text([&] { io::parse_json(R"({"a\"[[":)" + nested(1'000'000) + "}"); }),
                 "line 1, column 209: "));
  CHECK(error_text([] { io::parse_json("\"" + std::string(100'000, 'x')); }).size() < 400);

  std::string wide = "{";
  for (int i = 0; i < 20'000; ++i) wide += fmt::format("\"key {}\": {},", i, i);
  const auto value = io::parse_json(wide + "\"last\": [1, -2, 0.5, true, null, \"x\"]}");
  CHECK(value.size() == 20'001);
  CHECK(value["last"].dump() == R"([1,-2,0.5,true,null,"x"])");
  CHECK(contains(error_text([&] { io::parse_json(wide + "\"key 7\": 0}"); }),
                 "\"key 7\" stands twice"));
}
