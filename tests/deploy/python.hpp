#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

// The Python of MTL_PYTHON, which may have torch.

inline std::string python_command() {
  const char* chosen = std::getenv("MTL_PYTHON");
  return chosen != nullptr ? chosen : MTL_PYTHON;
}

inline std::string quoted_for_shell(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// What `code` prints, errors included.
inline std::string python_output(const std::string& code) {
  const std::string command =
      quoted_for_shell(python_command()) + " -c " + quoted_for_shell(code) + " 2>&1";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string output;
  std::array<char, 4096> part;
  while (pipe && std::fgets(part.data(), part.size(), pipe.get())) output += part.data();
  return output;
}

/// Runs a script; 0 where it ended well.
inline int run_python(const std::string& script, const std::vector<std::string>& arguments) {
  std::string command = quoted_for_shell(python_command()) + " " + quoted_for_shell(script);
  for (const std::string& argument : arguments) command += " " + quoted_for_shell(argument);
  return std::system(command.c_str());
}

/// Where there is none the test is skipped, which ctest takes from these words.
inline bool has_python_torch() {
  static const bool found =
      python_output("import torch; print('torch ' + torch.__version__)").starts_with("torch ");
  if (!found) std::cout << "skipped: there is no Python with torch; set MTL_PYTHON to one\n";
  return found;
}
