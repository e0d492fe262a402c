#include <sys/wait.h>
#include <unistd.h>
#include <fstream>
#include <optional>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/io/file_lock.hpp"
#include "temporary_folder.hpp"

TEST_CASE("FileLock: held once, by one object, until it is gone") {
  const TemporaryFolder folder;
  const auto path = folder / "run.lock";
  std::optional<mtl::io::FileLock> first(path);
  const auto text = error_text([&] { mtl::io::FileLock second(path); });
  CHECK(contains(text, "run.lock"));
  CHECK(contains(text, "process " + std::to_string(::getpid())));
  first.reset();
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(error_text([&] { mtl::io::FileLock third(path); }).empty());
}

TEST_CASE("FileLock: a killed process leaves no lock") {
  const TemporaryFolder folder;
  const auto path = folder / "run.lock";
  const ::pid_t child = ::fork();
  if (child == 0) {
    const mtl::io::FileLock lock(path);
    ::_exit(0);  // as if killed: no destructor runs
  }
  ::waitpid(child, nullptr, 0);
  REQUIRE(std::filesystem::exists(path));
  CHECK(error_text([&] { mtl::io::FileLock lock(path); }).empty());
}

TEST_CASE("FileLock: a folder that is not there is an error with the path") {
  const TemporaryFolder folder;
  CHECK(contains(error_text([&] { mtl::io::FileLock lock(folder / "none/run.lock"); }),
                 "none/run.lock"));
}

TEST_CASE("FileLock: what a link in a stranger's folder leads to stays as it is") {
  const TemporaryFolder folder, outside;
  std::ofstream(outside / "letter") << "dear reader";
  std::filesystem::create_symlink(outside / "letter", folder / "run.lock");
  CHECK(contains(error_text([&] { mtl::io::FileLock lock(folder / "run.lock"); }),
                 "run.lock\": it is a link, expected a file or nothing"));
  CHECK(std::filesystem::file_size(outside / "letter") == 11);
}
