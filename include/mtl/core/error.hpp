#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace mtl {

/// The one exception of the library. Its text says where (task, file, row or shape), what was
/// found, what was expected and what to do.
///
///     throw Error("task \"{}\": target has class {}, but its head has {} outputs", name, found,
///     outputs);
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& text) : std::runtime_error(text) {}

  template <class First, class... Rest>
  explicit Error(fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest)
      : std::runtime_error(
            fmt::format(format, std::forward<First>(first), std::forward<Rest>(rest)...)) {}
};

}  // namespace mtl
