#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "mtl/io/file.hpp"
#include "temporary_folder.hpp"

struct Finished {
  int code = 0;
  std::string errors;  // what the program wrote on stderr
};

enum class Pictures { no, yes };

/// Runs an example's program in this process; without pictures, which take longer than the rest,
/// gnuplot is not found. The first argument is the program's name.
inline Finished run_example(int (*program)(int, const char* const*),
                            const std::vector<std::string>& arguments,
                            Pictures pictures = Pictures::no) {
  const char* path = std::getenv("PATH");
  const std::string found_path = path == nullptr ? "" : path;
  if (pictures == Pictures::no) ::setenv("PATH", "/nowhere", 1);
  std::vector<const char*> argv;
  for (const auto& argument : arguments) argv.push_back(argument.c_str());
  const TemporaryFolder folder;
  std::fflush(stderr);
  const int found = ::dup(STDERR_FILENO);
  const int file = ::open((folder / "stderr").c_str(), O_CREAT | O_WRONLY, 0600);
  ::dup2(file, STDERR_FILENO);
  Finished finished{program(static_cast<int>(argv.size()), argv.data()), {}};
  ::setenv("PATH", found_path.c_str(), 1);
  std::fflush(stderr);
  ::dup2(found, STDERR_FILENO);
  ::close(file);
  ::close(found);
  finished.errors = mtl::io::read_file(folder / "stderr");
  return finished;
}
